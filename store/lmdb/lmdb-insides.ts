import * as lmdb from 'lmdb';
import type { Database, Key, Transaction } from 'lmdb';

/**
 * What we use of the inside of lmdb-js. Its types do not name these things, so the package pins one exact version.
 * docs/insides.md lists each use with its test, and with what happens when the inside is another one.
 */
interface Addon {
  readonly resetTxn: (address: number) => void;
}

const addon = (lmdb as unknown as { readonly nativeAddon?: Addon }).nativeAddon;

/** Lets go of the pages that a read transaction sees. It can be used again, and then sees what was committed last. */
export const resetTransaction = (transaction: Transaction): void =>
  addon?.resetTxn((transaction as unknown as { readonly address: number }).address);

/** The bytes of one key, in a buffer that the next read uses again; undefined where there is none. */
export const bytesOfKey = (
  db: Database<Buffer, Key>,
  key: Key,
  options: { readonly transaction: Transaction },
): Buffer | undefined =>
  (
    db as unknown as { readonly getBinaryFast: (key: Key, options: object) => Buffer | undefined }
  ).getBinaryFast(key, options);
