import { isLeft } from 'fp-ts/lib/Either.js';
import { whyNotWhole } from './synced-mark.js';
import { checkLmdbFiles } from './lmdb-files.js';

/**
 * Why the database of a directory must not be opened, or undefined: LMDB would believe it, or take the process down.
 */
export const whyUnusable = (dir: string): string | undefined => {
  const checked = checkLmdbFiles(dir);
  if (isLeft(checked)) return checked.left;
  return whyNotWhole(dir);
};
