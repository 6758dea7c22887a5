import { readdirSync, readlinkSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirs } from '../files/make-dirs.js';

/**
 * A chain of numbered claims in a directory, of which the highest counts. It is the compare-and-swap under the owner of
 * a data directory: "the highest is still the one that I looked at, so the next is mine".
 *
 * A claim is a symbolic link, named by its number, whose target is the text of the claim. `symlink` is the one call
 * that makes a name only where there is none *and* gives it its whole content in the same step, so nobody ever sees
 * half a claim. (`ls -l` shows it to people.) The numbers only rise: whoever takes the next one removes those below,
 * never the highest. Hence a slow starter that looked at claim 3 and makes a 4, after others were at 5 or 6 already and
 * have removed 4, finds the higher one in the look behind it, and withdraws.
 *
 * Not LMDB, though its write transaction is a lock between processes that no death leaves locked: lmdb-js 3.5.6 sets
 * the shared number of the last transaction anew in every `open` (`mdb_env_open2`: `mti_txnid = meta.mm_txnid`), outside
 * that lock. An opener that read the header just before a commit takes the commit back: two starters both became owner
 * in about 1 of 250 races between ten.
 */
export interface Head {
  /** 0: there is no claim yet. */
  readonly number: number;
  readonly text: string;
}

/** File systems allow no more in a link than this; XFS and macOS the least. */
export const CLAIM_MAX_BYTES = 1000;

const codeOf = (error: unknown): unknown => (error as NodeJS.ErrnoException).code;

const numbersIn = (dir: string): readonly number[] =>
  readdirSync(dir)
    .filter((name) => /^[1-9]\d*$/.test(name))
    .map(Number);

const remove = (dir: string, number: number): void => {
  try {
    unlinkSync(join(dir, String(number)));
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error; // Another one was faster.
  }
};

const highest = (dir: string): number => Math.max(0, ...numbersIn(dir));

/** The claim that counts now. Makes the directory (0700) when it is not there. */
export const readHead = (dir: string): Head => {
  makeDirs(dir);
  for (;;) {
    const number = highest(dir);
    if (number === 0) return { number, text: '' };
    try {
      return { number, text: readlinkSync(join(dir, String(number))) };
    } catch (error) {
      if (codeOf(error) === 'EINVAL') return { number, text: '' }; // A file that somebody put there: no claim.
      if (codeOf(error) !== 'ENOENT') throw error; // Removed between the two calls, so there is a higher one.
    }
  }
};

/** Appends a claim behind the head that was looked at; its number, or undefined when another process was faster. */
export const appendBehind = (dir: string, head: Head, text: string): number | undefined => {
  const number = head.number + 1;
  try {
    symlinkSync(text, join(dir, String(number)));
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return undefined;
    throw error;
  }
  if (highest(dir) > number) {
    remove(dir, number);
    return undefined;
  }
  for (const below of numbersIn(dir).filter((other) => other < number)) remove(dir, below);
  return number;
};
