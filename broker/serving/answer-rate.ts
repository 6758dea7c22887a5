/** A rate is that of so many milliseconds at least: answers come in groups, as the disk takes the records. */
const WINDOW_MS = 100;

/** How fast requests are answered now. */
export class AnswerRate {
  #since: number;
  #answers = 0;
  #perMs = 0;

  constructor(now: number) {
    this.#since = now;
  }

  /** One more answer. */
  add(now: number): void {
    this.#answers += 1;
    const elapsed = now - this.#since;
    if (elapsed < WINDOW_MS) return;
    this.#perMs = this.#answers / elapsed;
    this.#answers = 0;
    this.#since = now;
  }

  /** Requests that are answered in so many milliseconds, at this rate. */
  within(ms: number): number {
    return this.#perMs * ms;
  }
}
