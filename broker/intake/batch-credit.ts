const SEEN = 0;
const WAITS = 1;

/**
 * How many batches the broker has gone through, in memory that both threads share: a message would wake up the thread
 * that reads, for each call. Only if that thread waits for the broker is it woken up.
 */
export class BatchCredit {
  readonly #cells: Int32Array;

  constructor(readonly shared = new SharedArrayBuffer(2 * Int32Array.BYTES_PER_ELEMENT)) {
    this.#cells = new Int32Array(shared);
  }

  /** The broker: one more batch is done. Returns whether the other thread waits and must be woken up. */
  done(): boolean {
    Atomics.add(this.#cells, SEEN, 1);
    return Atomics.exchange(this.#cells, WAITS, 0) === 1;
  }

  /** The thread that reads: how many batches are done. It overflows at 2^31 and goes on with negative numbers. */
  get seen(): number {
    return Atomics.load(this.#cells, SEEN);
  }

  /** The thread that reads: it has work and waits. Look at {@link seen} once more after this call. */
  wait(): void {
    Atomics.store(this.#cells, WAITS, 1);
  }
}
