import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { syncPath } from '../../system/files/durable-file.js';

/** Syncs all files of a directory, from any writer. */
export const syncTree = async (dir: string): Promise<void> => {
  for (const entry of await readdir(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) await syncTree(path);
    else if (entry.isFile()) await syncPath(path);
  }
  await syncPath(dir);
};
