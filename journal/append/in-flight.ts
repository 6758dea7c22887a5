import type { Draft, Settle } from './draft.js';

/** A record that has its number and is not settled. */
export interface Pending {
  readonly n: number;
  readonly draft: Draft;
  readonly bytes: number;
  readonly settle: Settle;
  /** When it was sent, by the clock of `performance.now()`; 0: not yet. */
  sentAt: number;
  /** On the last record of a batch: all of it. */
  batch?: readonly Pending[];
}

/** What was sent and is not acknowledged, by the number that the server acknowledges: of a batch its last. */
export class InFlight {
  /** Insertion order is order of numbers. */
  readonly #byNumber = new Map<number, Pending>();
  #bytes = 0;
  #hasBatch = false;
  #records = 0;

  /** Acknowledgements that are still to come. */
  get size(): number {
    return this.#byNumber.size;
  }

  get recordCount(): number {
    return this.#records;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get hasBatch(): boolean {
    return this.#hasBatch;
  }

  get oldest(): Pending | undefined {
    return this.#byNumber.values().next().value;
  }

  /** A record is sent, or a batch by its last record. `bytes`: of all of it. */
  add(last: Pending, bytes: number): void {
    last.sentAt = performance.now();
    this.#byNumber.set(last.n, last);
    this.#bytes += bytes;
    this.#records += last.batch?.length ?? 1;
    if (last.batch !== undefined) this.#hasBatch = true;
  }

  get(n: number): Pending | undefined {
    return this.#byNumber.get(n);
  }

  /** It is acknowledged: takes it out, with all records of its batch. */
  remove(last: Pending): void {
    this.#byNumber.delete(last.n);
    this.#records -= last.batch?.length ?? 1;
    if (last.batch === undefined) this.#bytes -= last.bytes;
    else for (const { bytes } of last.batch) this.#bytes -= bytes;
    if (last.batch !== undefined) this.#hasBatch = false;
  }

  records(): Pending[] {
    return [...this.#byNumber.values()].flatMap((last) => last.batch ?? [last]);
  }

  clear(): void {
    this.#byNumber.clear();
    this.#bytes = 0;
    this.#records = 0;
    this.#hasBatch = false;
  }
}
