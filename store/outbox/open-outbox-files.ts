import { mkdirSync } from 'node:fs';
import { isLeft } from 'fp-ts/lib/Either.js';
import { open, type RootDatabase, type RootDatabaseOptions } from 'lmdb';
import { makeDirs } from '../../system/files/make-dirs.js';
import { checkLmdbFiles } from '../lmdb/lmdb-files.js';
import { setAside } from '../../system/files/set-aside.js';

/**
 * Opens the database of one process: an outbox. A damaged database is set aside for the operator, and a new one is
 * started.
 *
 * One process at a time: in lmdb-js 3.5.6 every `open` sets the last transaction number again, outside the write
 * lock, so a process that opens the database while another commits can take a commit back (seen: 1 of 36,303 commits
 * lost with three processes that only open and close; with `readOnly` openers the writer crashed).
 */
export const openLmdb = (
  dir: string,
  options: RootDatabaseOptions,
  onDamaged: (reason: string) => void,
): RootDatabase<unknown, string> => {
  makeDirs(dir);
  const checked = checkLmdbFiles(dir);
  if (isLeft(checked)) {
    const aside = setAside(dir);
    mkdirSync(dir, { mode: 0o700 });
    onDamaged(`${checked.left}; it is kept as ${aside}, and a new one is started`);
  }
  return open({ ...options, path: dir });
};
