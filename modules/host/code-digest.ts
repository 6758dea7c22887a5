import { createHash } from 'node:crypto';
import { dirname, relative } from 'node:path';
import { ownPackage } from '../../system/files/own-package.js';
import type { CodeFiles } from './code-files.js';

/**
 * Part of every digest: raised where the same code would make other states, as when records are read in another way.
 */
const FORMAT = 'code 1';

/**
 * The digest of the code that an entry file leads to: the bytes of the module's own files, and the versions of the
 * packages that they import. Two that differ may fold a log into other states.
 */
export const codeDigest = ({ own, packages }: CodeFiles, entry: string): string => {
  const hash = createHash('sha256').update(`${FORMAT}\ntallystick@${ownPackage().version}\n`);
  for (const name of [...packages].sort()) hash.update(`${name}\n`);
  // By their places to each other: a module that was moved as a whole is the same.
  const home = dirname(entry);
  const files = [...own].map(([path, bytes]) => [relative(home, path), bytes] as const);
  for (const [path, bytes] of files.sort(([a], [b]) => (a < b ? -1 : 1))) {
    hash.update(`${path}\n${createHash('sha256').update(bytes).digest('hex')}\n`);
  }
  return hash.digest('hex').slice(0, 32);
};
