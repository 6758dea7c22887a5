import { statSync } from 'node:fs';
import { join } from 'node:path';
import { isLeft } from 'fp-ts/lib/Either.js';
import { FaultError } from '../../schemas/errors.js';
import { Masks } from '../../schemas/masks.js';
import { SENSITIVE_FILE } from '../../schemas/sensitive.js';
import { fileMasks } from '../connect/known-masks.js';

const versionOf = (path: string): string => {
  const found = statSync(path, { throwIfNoEntry: false });
  return found === undefined ? 'none' : `${found.ino} ${found.mtimeMs}`;
};

/** The masks of now. The broker writes the file before a module with new marks runs, so it is read when it changes. */
export const freshMasks = (dataDir: string, reveal: boolean): (() => Masks) => {
  if (reveal) return () => Masks.none;
  const path = join(dataDir, SENSITIVE_FILE);
  let version = '';
  let masks = Masks.none;
  return () => {
    const now = versionOf(path);
    if (now === version) return masks;
    const read = fileMasks(dataDir, {});
    if (isLeft(read)) throw new FaultError(read.left);
    [version, masks] = [now, read.right];
    return masks;
  };
};
