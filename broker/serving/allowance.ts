/** Sums of fractions are a little off: a client that waited as long as it was told must not be told to wait again. */
const ROUNDING = 1e-9;

/** What a rate leaves over: it grows with time, up to the amount of one second. */
export class Allowance {
  #left: number;
  #at: number;

  constructor(
    readonly perSecond: number,
    now: number,
  ) {
    this.#left = perSecond;
    this.#at = now;
  }

  /**
   * Milliseconds until so much may be taken; 0: now. An amount above that of one second may be taken when nothing was
   * taken for a second, and the next one waits longer for it.
   */
  waitMs(amount: number, now: number): number {
    if (this.perSecond === Number.POSITIVE_INFINITY) return 0;
    this.#left = Math.min(this.perSecond, this.#left + ((now - this.#at) * this.perSecond) / 1_000);
    this.#at = now;
    const missing = Math.min(amount, this.perSecond) - this.#left;
    return missing <= this.perSecond * ROUNDING ? 0 : Math.ceil((missing * 1_000) / this.perSecond);
  }

  take(amount: number): void {
    if (this.perSecond !== Number.POSITIVE_INFINITY) this.#left -= amount;
  }
}
