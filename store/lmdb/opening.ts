import { join } from 'node:path';
import type { RootDatabase } from 'lmdb';
import { makeDirs } from '../../system/files/make-dirs.js';
import { openRoot } from './lmdb-insides.js';

/** LMDB has destroyed the lock that is open here. */
const DESTROYED = 22; // EINVAL
/** All processes that opened the destroyed lock must have closed it at the same time: they pause by lot. */
const MAX_PAUSE_MS = 50;
const PATIENCE_MS = 10_000;

const nobody = new Int32Array(new SharedArrayBuffer(4));

/** Opens the lock, or tries it again after a while. No other process waits for this one meanwhile. */
const openLock = (path: string): RootDatabase => {
  const until = performance.now() + PATIENCE_MS;
  for (let longest = 1; ; longest = Math.min(MAX_PAUSE_MS, 2 * longest)) {
    try {
      return openRoot({ path, encoding: 'binary', noSync: true });
    } catch (error) {
      if ((error as { readonly code?: unknown }).code !== DESTROYED || performance.now() > until) throw error;
      Atomics.wait(nobody, 0, 0, Math.random() * longest);
    }
  }
};

/**
 * Who may commit to, or open, the LMDB database of a directory: one process at a time. In lmdb-js 3.5.6 every `open`
 * sets the shared number of the last transaction again, outside the write lock, so an opening during a commit can
 * take that commit back (docs/decisions/0015, 0024). The lock is the write lock of another LMDB database in which
 * nothing is ever written: a process that dies with it leaves it free, and to open *that* one together with others
 * takes nothing back.
 *
 * LMDB destroys the lock when the last process closes it. A process that opens it at that moment has the destroyed one,
 * and so has each that opens it later, until all have closed it. Taking the lock, which is part of opening, fails
 * then. So each of them closes it and opens it again.
 */
export class Opening {
  readonly #lock: RootDatabase;

  /** Waits until others are done. Throws where the directory cannot be written. */
  constructor(dir: string) {
    const path = join(dir, 'opening');
    makeDirs(path);
    this.#lock = openLock(path);
  }

  /** Runs alone; waits until others are done, which takes as long as a commit. */
  alone<T>(work: () => T): T {
    return this.#lock.transactionSync(work);
  }

  close(): Promise<void> {
    return this.#lock.close();
  }
}
