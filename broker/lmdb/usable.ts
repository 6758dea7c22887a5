import { isLeft } from 'fp-ts/lib/Either.js';
import { whyNotWhole } from './boot.js';
import { checkLmdbFiles } from './files.js';

/** Why the database of a directory must not be opened, or undefined: LMDB would believe it, or take the process down. */
export const whyUnusable = (dir: string): string | undefined => {
  const checked = checkLmdbFiles(dir);
  if (isLeft(checked)) return checked.left;
  return whyNotWhole(dir);
};
