import * as lmdb from 'lmdb';
import type { Database, Key, RootDatabase, RootDatabaseOptionsWithPath, Transaction } from 'lmdb';

/**
 * What we use of the inside of lmdb-js. Its types do not name these things, so the package pins one exact version.
 * docs/internals/insides.md lists each use with its test, and with what happens when the inside is another one.
 */
interface Addon {
  readonly resetTxn: (address: number) => void;
  readonly getSharedByBinary?: (dbAddress: number, keyBytes: number) => Buffer | undefined;
}

const addon = (lmdb as unknown as { readonly nativeAddon?: Addon }).nativeAddon;

/** Lets go of the pages that a read transaction sees. It can be used again, and then sees what was committed last. */
export const resetTransaction = (transaction: Transaction): void =>
  addon?.resetTxn((transaction as unknown as { readonly address: number }).address);

/**
 * The bytes of one key where LMDB's map of the file has them; undefined where this lmdb-js does not give them. They are
 * in memory until the database is closed.
 */
export const mappedBytesOfKey = (db: Database<Buffer, Buffer>, key: Buffer): Buffer | undefined => {
  // The look leaves the key where the next call finds it.
  const { dbAddress } = db as unknown as { readonly dbAddress?: number };
  const isThere = (db as unknown as { readonly getBinaryFast: (key: Buffer) => unknown }).getBinaryFast(key);
  if (isThere === undefined || dbAddress === undefined) return undefined;
  return addon?.getSharedByBinary?.(dbAddress, key.length);
};

/** The bytes of one key, in a buffer that the next read uses again; undefined where there is none. */
export const bytesOfKey = (
  db: Database<Buffer, Key>,
  key: Key,
  options: { readonly transaction: Transaction },
): Buffer | undefined =>
  (
    db as unknown as { readonly getBinaryFast: (key: Key, options: object) => Buffer | undefined }
  ).getBinaryFast(key, options);

type RootClass<V, K extends Key> = new (name: null, options: object) => RootDatabase<V, K>;

/**
 * Opens a database at its root. Where the `open` of lmdb-js throws once the files are open, they stay open in this
 * process, and the next `open` gets the same ones. This closes them first.
 */
export const openRoot = <V, K extends Key>(options: RootDatabaseOptionsWithPath): RootDatabase<V, K> => {
  // It notes in its options that a class is wanted.
  const Root = lmdb.openAsClass({ ...options }) as unknown as RootClass<V, K>;
  try {
    return new Root(null, { ...options, isRoot: true });
  } catch (error) {
    void Root.prototype.close.call({ isRoot: true });
    throw error;
  }
};
