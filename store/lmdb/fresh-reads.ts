import type { Database, Key, Transaction } from 'lmdb';
import { bytesOfKey, resetTransaction } from './lmdb-insides.js';

/**
 * Reads of one database environment that each see what was committed last, and keep no page from being used again
 * once they are done. Left to itself, lmdb-js holds what it sees for the rest of the turn of the event loop, and sets
 * a timer for each time it looks again, which costs three times as much as a lookup.
 */
export class FreshReads {
  readonly #options: { readonly transaction: Transaction };

  constructor(private readonly root: Database<unknown, Key>) {
    this.#options = { transaction: root.useReadTransaction() };
    this.done();
  }

  /** What a read of a range must be given. */
  get options(): { readonly transaction: Transaction } {
    return this.#options;
  }

  /** The bytes of one key, valid until the next read; undefined when there is none. */
  bytes(db: Database<Buffer, Key>, key: Key): Buffer | undefined {
    return bytesOfKey(db, key, this.#options);
  }

  /**
   * How many keys a database has. Its statistics come by the transaction that lmdb-js shares among all reads, which
   * may be this one, and it lets go of that one only later: the next read would see what was there now.
   */
  count(db: Database<Buffer, Key>): number {
    const shared = this.root.useReadTransaction();
    try {
      return (db.getStats() as { readonly entryCount: number }).entryCount;
    } finally {
      resetTransaction(shared);
      shared.done();
    }
  }

  /** Lets go of what the reads since the last time saw. */
  done(): void {
    resetTransaction(this.#options.transaction);
  }

  close(): void {
    this.#options.transaction.done();
  }
}
