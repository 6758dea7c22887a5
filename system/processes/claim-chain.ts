import { readdirSync, readlinkSync, symlinkSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirs } from '../files/make-dirs.js';

/**
 * A chain of numbered claims in a directory; the highest counts. It is the compare-and-swap under the owner of a data
 * directory: "the highest is still the one that I looked at, so the next is mine".
 *
 * A claim is a symbolic link. Its name is its number, and its target is the text of the claim. `symlink` is the one
 * call that makes a name only if it is free *and* gives it its whole content in the same step, so no process ever
 * sees half a claim. (`ls -l` shows it to people.) The numbers only rise: the process that takes the next one removes
 * those below, never the highest. So a slow starter may look at claim 3 and make a 4, after others were at 5 or 6
 * already and have removed 4. It then finds the higher one when it looks again, and withdraws.
 *
 * Not LMDB, although its write transaction is a lock between processes that no death leaves locked. lmdb-js 3.5.6
 * sets the shared number of the last transaction again in every `open` (`mdb_env_open2`: `mti_txnid =
 * meta.mm_txnid`), outside that lock. An opener that read the header just before a commit undoes the commit. In races
 * between ten starters, two became owner in about 1 of 250.
 */
export interface Head {
  /** 0: there is no claim yet. */
  readonly number: number;
  readonly text: string;
}

/** The longest text of a link; XFS and macOS allow the least. */
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

/** The claim that counts now. Makes the directory (0700) if it does not exist. */
export const readHead = (dir: string): Head => {
  makeDirs(dir);
  for (;;) {
    const number = highest(dir);
    if (number === 0) return { number, text: '' };
    try {
      return { number, text: readlinkSync(join(dir, String(number))) };
    } catch (error) {
      if (codeOf(error) === 'EINVAL') return { number, text: '' }; // A foreign file, no claim.
      if (codeOf(error) !== 'ENOENT') throw error; // Removed between the two calls, so there is a higher one.
    }
  }
};

/** Appends a claim after the known head. Returns its number, or undefined if another process was faster. */
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
