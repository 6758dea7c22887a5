import type { NatsConnection } from 'nats';
import { findGaps } from './find-gaps.js';
import type { LogLoss } from './log-loss.js';
import type { Witness } from './witness.js';
import { SerialQueue } from '../../system/async/serial-queue.js';

/**
 * Makes sure that every fold of the log has all of it. nats-server silently leaves a damaged record out of its
 * deliveries, and readers of some subjects only cannot tell; so a part of the log is read whole before it is folded.
 * Each part once in the life of a broker: the index reads everything from some sequence on anyway.
 */
export class WholeLog {
  /** Everything from here on was read, or is being read by the index, which tells what it does not meet. */
  #from: number;
  #next: number;
  readonly #looking = new SerialQueue();

  constructor(
    private readonly nc: NatsConnection,
    private readonly witness: Pick<Witness, 'missed' | 'checked' | 'gaps'>,
    /** Where the log stood when it was opened. */
    lastSeq: number,
  ) {
    this.#from = lastSeq + 1;
    this.#next = 0;
  }

  /** The index has met the record at a sequence; it begins anywhere and leaves none out. */
  met(seq: number): void {
    if (this.#next === 0) this.#from = Math.min(this.#from, seq);
    else if (seq > this.#next) void this.witness.missed([[this.#next, seq - 1]]);
    this.#next = seq + 1;
  }

  /** The log has all records from a sequence on, or what was lost of them. Throws LOG_UNAVAILABLE. */
  async checked(fromSeq: number): Promise<LogLoss | undefined> {
    await this.#looking.run(() => this.#look(fromSeq));
    return this.witness.checked();
  }

  /** Whether it is known that something is missing from a sequence on. */
  isDamagedFrom(seq: number): boolean {
    return this.witness.gaps.some(([, to]) => to >= seq);
  }

  async #look(fromSeq: number): Promise<void> {
    if (fromSeq >= this.#from) return;
    const gaps = await findGaps(this.nc, fromSeq, this.#from - 1);
    if (gaps.length > 0) await this.witness.missed(gaps);
    this.#from = fromSeq;
  }
}
