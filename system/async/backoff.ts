/** Pauses between tries. Each one is twice as long as the one before, up to the longest. */
export class Backoff {
  #nextMs: number;

  constructor(
    private readonly firstMs: number,
    private readonly longestMs = Number.POSITIVE_INFINITY,
  ) {
    this.#nextMs = firstMs;
  }

  /** How long the next pause is. */
  get nextMs(): number {
    return this.#nextMs;
  }

  /** How long to wait now. The one after it is longer. */
  take(longestMs = this.longestMs): number {
    const ms = this.#nextMs;
    this.#nextMs = Math.min(ms * 2, longestMs);
    return ms;
  }

  /** After a success: the next pause is the first one again. */
  reset(): void {
    this.#nextMs = this.firstMs;
  }
}
