import { closeSync, fsyncSync, openSync, renameSync, writeFileSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Has the system write a file, or which names a directory has, to the disk. */
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

/** Where the new one is written; renamed before it is on the disk, it would be an empty file after a loss of power. */
const newOf = (path: string): string => `${path}.new`;

/**
 * Replaces a file in one step: whoever is killed leaves the old one or the new one, and from then on a loss of power leaves
 * the new one.
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

/** {@link replaceFile}, while nothing else goes on. */
export const replaceFileSync = (path: string, text: string): void => {
  writeFileSync(newOf(path), text, { mode: MODE, flush: true });
  renameSync(newOf(path), path);
  syncPathSync(dirname(path));
};
