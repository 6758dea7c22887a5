/** So many epochs a module may open one right after the other. */
export const EPOCH_BURST = 20;
/** And then one in so many milliseconds. */
export const EPOCH_INTERVAL_MS = 2_000;

/**
 * How fast a module may open epochs, whatever its program does: each is two records of the log, which never go away.
 * A module that has had a quiet time may open {@link EPOCH_BURST} at once; what crashes all the time gets one each
 * {@link EPOCH_INTERVAL_MS}.
 */
export class EpochPace {
  /** When all that were opened would be paid for, one an interval. */
  #paidAt = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly intervalMs: number = EPOCH_INTERVAL_MS,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** How long the next one has to wait, milliseconds. */
  get waitMs(): number {
    return Math.max(0, this.#paidAt - (EPOCH_BURST - 1) * this.intervalMs - this.now());
  }

  /** Takes the next place; how long it has to wait for it, milliseconds. */
  take(): number {
    const waitMs = this.waitMs;
    this.#paidAt = Math.max(this.now(), this.#paidAt) + this.intervalMs;
    return waitMs;
  }
}
