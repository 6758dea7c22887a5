import { type Fault, fault } from '../../schemas/errors.js';
import type { Draft } from '../append/draft.js';
import type { PRODUCER_DEFAULTS } from './producer-options.js';

/** The approximate bytes of a record in the log besides its payload. */
const RECORD_BYTES = 512;

const MIN_RETRY_MS = 10;

/** What a producer holds that is not settled, within its limits, and what it has taken since it was opened. */
export class PendingLoad {
  #records = 0;
  #bytes = 0;
  #takenBytes = 0;
  #settledBytes = 0;
  /** How long the record that was settled last had waited, milliseconds. */
  #lastWaitMs = 0;

  constructor(private readonly limits: Pick<typeof PRODUCER_DEFAULTS, 'maxPending' | 'maxPendingBytes'>) {}

  /** Records that are not settled. */
  get records(): number {
    return this.#records;
  }

  /** What the records that it took weigh in the log, about, and how much of that is settled. */
  get weighed(): { readonly takenBytes: number; readonly settledBytes: number } {
    return { takenBytes: this.#takenBytes, settledBytes: this.#settledBytes };
  }

  /** OVERLOADED if one more record would pass a limit. */
  overload({ data }: Draft): Fault | undefined {
    const { maxPending, maxPendingBytes } = this.limits;
    // A single record always fits, however large: else it would be told to try again for ever.
    const isFull = this.#records > 0 && this.#bytes + data.length > maxPendingBytes;
    if (this.#records < maxPending && !isFull) return undefined;
    // What comes now would wait about as long as what has just been stored.
    const retryAfterMs = Math.max(MIN_RETRY_MS, this.#lastWaitMs);
    const text = `${this.#records} records wait to be stored; try again in ${retryAfterMs} ms`;
    return { ...fault('OVERLOADED', text), retryAfterMs };
  }

  /** Counts in a record with a payload of so many bytes. */
  begin(bytes: number): void {
    this.#records += 1;
    this.#bytes += bytes;
    this.#takenBytes += bytes + RECORD_BYTES;
  }

  /** Counts it out: it is settled. `since`: when it was counted in, by the clock of `performance.now()`. */
  end(bytes: number, since: number): void {
    this.#records -= 1;
    this.#bytes -= bytes;
    this.#settledBytes += bytes + RECORD_BYTES;
    this.#lastWaitMs = Math.round(performance.now() - since);
  }
}
