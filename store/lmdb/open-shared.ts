import type { Key, RootDatabase, RootDatabaseOptionsWithPath } from 'lmdb';
import { openRoot } from './lmdb-insides.js';

/** LMDB has destroyed the locks that are open here: EINVAL. */
const DESTROYED = 22;
/** All processes that opened the destroyed locks must have closed them at the same time: they pause by lot. */
const MAX_PAUSE_MS = 50;
const PATIENCE_MS = 10_000;

const nobody = new Int32Array(new SharedArrayBuffer(4));

/**
 * Opens a database that other processes open and close too.
 *
 * LMDB destroys the locks of a database when the last process closes it. A process that opens it at that moment has the
 * destroyed ones, and so has each that opens it later, until all have closed it. Its first transaction fails, which is
 * part of opening. So each of them closes it and opens it again.
 */
export const openShared = <V, K extends Key>(options: RootDatabaseOptionsWithPath): RootDatabase<V, K> => {
  const until = performance.now() + PATIENCE_MS;
  for (let longest = 1; ; longest = Math.min(MAX_PAUSE_MS, 2 * longest)) {
    try {
      return openRoot<V, K>(options);
    } catch (error) {
      if ((error as { readonly code?: unknown }).code !== DESTROYED || performance.now() > until) throw error;
      Atomics.wait(nobody, 0, 0, Math.random() * longest);
    }
  }
};
