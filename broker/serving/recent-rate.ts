/** How long one part of the window is, milliseconds. */
const PART_MS = 5_000;

/** How much came in a second, over the last 5 to 10 s. It costs two additions for each arrival, and no timer. */
export class RecentRate {
  #since: number;
  #requests = 0;
  #bytes = 0;
  #beforeRequests = 0;
  #beforeBytes = 0;

  constructor(now: number) {
    this.#since = now;
  }

  add(bytes: number, now: number): void {
    if (now - this.#since >= PART_MS) this.#turn(now);
    this.#requests += 1;
    this.#bytes += bytes;
  }

  perSecond(now: number): { readonly requests: number; readonly bytes: number } {
    if (now - this.#since >= PART_MS) this.#turn(now);
    const seconds = (PART_MS + now - this.#since) / 1_000;
    return {
      requests: (this.#requests + this.#beforeRequests) / seconds,
      bytes: (this.#bytes + this.#beforeBytes) / seconds,
    };
  }

  #turn(now: number): void {
    const isNext = now - this.#since < 2 * PART_MS;
    this.#beforeRequests = isNext ? this.#requests : 0;
    this.#beforeBytes = isNext ? this.#bytes : 0;
    this.#requests = 0;
    this.#bytes = 0;
    this.#since = now;
  }
}
