/** A result as it is in the log. */
export interface StoredResult {
  readonly body: Uint8Array;
  readonly seq: number;
}

/** Who waits for the result of a command. */
export interface Waiter {
  readonly resolve: (result: StoredResult) => void;
  readonly expire: () => void;
  /** The subject of the result. */
  readonly subject: string;
  readonly since: number;
}

/** Callers by the sequence of their command. */
export class PendingCalls {
  readonly #waiters = new Map<number, Waiter[]>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  has(seq: number): boolean {
    return this.#waiters.has(seq);
  }

  add(seq: number, waiter: Waiter): void {
    this.#size += 1;
    const waiters = this.#waiters.get(seq);
    if (waiters === undefined) this.#waiters.set(seq, [waiter]);
    else waiters.push(waiter);
  }

  /** Hands the result to everyone who waits for it; later calls for the same command do nothing. `from`: where it came
   * from, if it is not checked yet whether it is a result of that command. */
  resolve(seq: number, result: StoredResult, from?: string): void {
    if (from !== undefined && this.#waiters.get(seq)?.[0]?.subject !== from) return;
    for (const waiter of this.#take(seq)) waiter.resolve(result);
  }

  /** Tells those that have waited since before that time. */
  expire(before: number): void {
    for (const [seq, waiters] of this.#waiters) {
      // Callers come in order of time, nearly; the first that is young enough ends the search.
      if ((waiters[0] as Waiter).since > before) break;
      for (const waiter of this.#take(seq)) waiter.expire();
    }
  }

  #take(seq: number): readonly Waiter[] {
    const waiters = this.#waiters.get(seq);
    if (waiters === undefined) return [];
    this.#waiters.delete(seq);
    this.#size -= waiters.length;
    return waiters;
  }
}
