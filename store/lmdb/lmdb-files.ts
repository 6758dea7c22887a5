import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Either, left, right } from 'fp-ts/lib/Either.js';

/** Of the first meta page: `mm_magic` in lmdb.h, behind a page header of 24 bytes. */
const MAGIC = 0xbeefc0de;
const MAGIC_AT = 24;

const startOf = (path: string, bytes: number): Buffer => {
  const file = openSync(path, 'r');
  try {
    const start = Buffer.alloc(bytes);
    return start.subarray(0, readSync(file, start, 0, bytes, 0));
  } finally {
    closeSync(file);
  }
};

const exists = (path: string): boolean => statSync(path, { throwIfNoEntry: false }) !== undefined;

/**
 * Whether LMDB can be let open the files in a directory; the reason where not. To be asked before `open`, because
 * lmdb-js 3.5.6 does not throw on a file that it cannot open or that is no database: it takes the process down with
 * SIGSEGV. No file and an empty file are well: a new database.
 */
export const checkLmdbFiles = (dir: string): Either<string, void> => {
  const [data, lock] = [join(dir, 'data.mdb'), join(dir, 'lock.mdb')];
  try {
    for (const path of [data, lock].filter(exists)) {
      if (!statSync(path).isFile()) return left(`${path} is not a file`);
      accessSync(path, constants.R_OK | constants.W_OK);
    }
    if (!exists(data)) return right(undefined);
    const start = startOf(data, MAGIC_AT + 4);
    const isLmdb =
      start.length === 0 || (start.length === MAGIC_AT + 4 && start.readUInt32LE(MAGIC_AT) === MAGIC);
    return isLmdb ? right(undefined) : left(`${data} is damaged: it is no LMDB database`);
  } catch (error) {
    return left(error instanceof Error ? error.message : String(error));
  }
};
