import { plural } from '../../text/numbers.js';

/** `limits.crashes` counts within this time. */
const WINDOW_MS = 60_000;
/** A process that ran for so long was well: what ends it begins a new row. */
const WELL_MS = 60_000;
/** However high `limits.crashes` is: so many starts in a row that fail are enough. */
const MAX_FAILED_STARTS = 10;
/** However low it is: so many processes in a row that do not run for long are too many. */
const MIN_IN_A_ROW = 20;

/**
 * The crashes of one module, and when there are enough of them to park it. There are for any limit: a module that
 * fails permanently is parked permanently, however slowly it fails.
 */
export class CrashRecord {
  #crashes: number[] = [];
  #failedStarts = 0;
  #inARow = 0;

  constructor(
    private readonly limit: number,
    private readonly now: () => number = () => performance.now(),
  ) {}

  /** A process ended that had been ready for so long, milliseconds. Why the module is to be parked, if it is. */
  ended(ranMs: number): string | undefined {
    this.#failedStarts = 0;
    if (ranMs >= WELL_MS) this.#inARow = 0;
    return this.#count();
  }

  /** A start did not succeed. */
  failed(): string | undefined {
    this.#failedStarts += 1;
    return this.#count();
  }

  #count(): string | undefined {
    const now = this.now();
    this.#crashes = [...this.#crashes.filter((at) => at > now - WINDOW_MS), now];
    this.#inARow += 1;
    if (this.#crashes.length >= this.limit)
      return `${plural(this.#crashes.length, 'crash', 'crashes')} within a minute`;
    if (this.#failedStarts >= Math.min(this.limit, MAX_FAILED_STARTS))
      return `${plural(this.#failedStarts, 'failed start')} in a row`;
    return this.#inARow >= Math.max(this.limit, MIN_IN_A_ROW)
      ? `${this.#inARow} crashes in a row`
      : undefined;
  }
}
