import { randomUUID } from 'node:crypto';
import { closeSync, fsyncSync, linkSync, openSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeDirs } from './make-dirs.js';

/** Makes the system write a file, or the names in a directory, to the disk. */
export const syncPath = async (path: string): Promise<void> => {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

const syncPathSync = (path: string): void => {
  const handle = openSync(path, 'r');
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
};

/** Readable by its owner only. */
const MODE = 0o600;

/** The path of the new file. If it were renamed before it is on the disk, a loss of power could leave an empty file. */
const newOf = (path: string): string => `${path}.new`;

/**
 * Replaces a file in one step. A killed process leaves the old file or the new one. After the step, a loss of power
 * leaves the new one.
 */
export const replaceFile = async (path: string, text: string): Promise<void> => {
  const file = await open(newOf(path), 'w', MODE);
  try {
    await file.writeFile(text);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(newOf(path), path);
  await syncPath(dirname(path));
};

/** {@link replaceFile}, while nothing else runs in this process. */
export const replaceFileSync = (path: string, text: string): void => {
  writeFileSync(newOf(path), text, { mode: MODE, flush: true });
  renameSync(newOf(path), path);
  syncPathSync(dirname(path));
};

/**
 * Makes a file that does not exist yet, with its directory. If several processes do so at once, one of the texts is
 * kept, and all find the same one, complete: read the file after the call. A loss of power keeps it.
 */
export const makeFileOnce = (path: string, text: string): void => {
  makeDirs(dirname(path));
  const work = `${path}.${randomUUID()}.new`;
  try {
    writeFileSync(work, text, { mode: MODE, flush: true });
    linkSync(work, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    rmSync(work, { force: true });
  }
  syncPathSync(dirname(path));
};
