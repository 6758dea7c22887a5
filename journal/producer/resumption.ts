import * as E from 'fp-ts/lib/Either.js';
import type { Fault } from '../../schemas/errors.js';
import type { Appended } from '../append/draft.js';

/** What became of the records that earlier processes had accepted and not seen stored. */
export interface Resumed {
  readonly records: number;
  /** Those that were in the log already. */
  readonly found: number;
  /** Those that were stored now. */
  readonly stored: number;
  /** The highest sequence of those in the log; 0: none. */
  readonly lastSeq: number;
  /** Why the rest is not stored: it stays in the outbox, for the next process. */
  readonly fault: Fault | undefined;
}

/** Counts what becomes of the records that are resumed. */
export class Resumption {
  readonly done: Promise<Resumed>;
  #resolve: (resumed: Resumed) => void = () => undefined;
  #resumed: Resumed = { records: 0, found: 0, stored: 0, lastSeq: 0, fault: undefined };
  #open = 0;
  #isBegun = false;

  constructor() {
    this.done = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  begin(records: number): void {
    this.#open = records;
    this.#resumed = { ...this.#resumed, records };
  }

  settled(outcome: Appended): void {
    this.#open -= 1;
    const { found, stored, lastSeq } = this.#resumed;
    if (E.isLeft(outcome)) {
      this.#resumed = { ...this.#resumed, fault: this.#resumed.fault ?? outcome.left };
    } else {
      this.#resumed = {
        ...this.#resumed,
        lastSeq: Math.max(lastSeq, outcome.right.seq),
        ...(this.#isBegun ? { stored: stored + 1 } : { found: found + 1 }),
      };
    }
    this.#finish();
  }

  /** What was looked for in the log has been found: the rest is sent. */
  found(): void {
    this.#isBegun = true;
    this.#finish();
  }

  #finish(): void {
    if (this.#isBegun && this.#open === 0) this.#resolve(this.#resumed);
  }
}
