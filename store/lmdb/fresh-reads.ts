import * as lmdb from 'lmdb';
import type { Database, Key, Transaction } from 'lmdb';

interface Native {
  readonly resetTxn: (address: number) => void;
}

interface BinaryReads {
  readonly getBinaryFast: (key: Key, options: { readonly transaction: Transaction }) => Buffer | undefined;
}

/** Not in the types of lmdb-js 3.5.6, and exported by it. */
const native = (lmdb as unknown as { readonly nativeAddon?: Native }).nativeAddon;

const addressOf = (transaction: Transaction): number =>
  (transaction as unknown as { readonly address: number }).address;

/**
 * Reads of one database environment that each see what was committed last, and keep no page from being used again once they
 * are done. Left to itself, lmdb-js holds what it sees for the rest of the turn of the event loop, and sets a timer for each
 * time it looks anew, which costs three times what a lookup does.
 */
export class FreshReads {
  readonly #options: { readonly transaction: Transaction };
  readonly #address: number;

  constructor(private readonly root: Database<unknown, Key>) {
    const transaction = root.useReadTransaction();
    this.#options = { transaction };
    this.#address = addressOf(transaction);
    this.done();
  }

  /** What a read of a range must be given. */
  get options(): { readonly transaction: Transaction } {
    return this.#options;
  }

  /** The bytes of one key, valid until the next read; undefined when there is none. */
  bytes(db: Database<Buffer, Key>, key: Key): Buffer | undefined {
    return (db as unknown as BinaryReads).getBinaryFast(key, this.#options);
  }

  /**
   * How many keys a database has. Its statistics come by the transaction that lmdb-js shares among all reads, which may be this
   * one, and it lets go of that one only later: the next read would see what was there now.
   */
  count(db: Database<Buffer, Key>): number {
    const shared = this.root.useReadTransaction();
    try {
      return (db.getStats() as { readonly entryCount: number }).entryCount;
    } finally {
      native?.resetTxn(addressOf(shared));
      shared.done();
    }
  }

  /** Lets go of what the reads since the last time saw. */
  done(): void {
    native?.resetTxn(this.#address);
  }

  close(): void {
    this.#options.transaction.done();
  }
}
