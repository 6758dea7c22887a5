import { join } from 'node:path';
import type { Key, RootDatabase } from 'lmdb';
import { makeDirs } from '../../system/files/make-dirs.js';
import { openShared } from './open-shared.js';

/**
 * Who may commit to, or open, the LMDB database of a directory: one process at a time. In lmdb-js 3.5.6 every `open`
 * sets the shared number of the last transaction again, outside the write lock, so an opening during a commit can
 * take that commit back (docs/decisions/0015, 0024). The lock is the write lock of another LMDB database in which
 * nothing is ever written: a process that dies with it leaves it free, and to open *that* one together with others
 * takes nothing back.
 */
export class Opening {
  readonly #lock: RootDatabase<unknown, Key>;

  /** Waits until others are done. Throws where the directory cannot be written. */
  constructor(dir: string) {
    const path = join(dir, 'opening');
    makeDirs(path);
    this.#lock = openShared({ path, encoding: 'binary', noSync: true });
  }

  /** Runs alone; waits until others are done, which takes as long as a commit. */
  alone<T>(work: () => T): T {
    return this.#lock.transactionSync(work);
  }

  close(): Promise<void> {
    return this.#lock.close();
  }
}
