import { opendirSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Of a disk, for a user without special rights: bytes and files that it has room for. */
export interface DiskRoom {
  readonly bytes: number;
  readonly files: number;
}

const BLOCK = 512;

export const freeRoom = (dir: string): DiskRoom => {
  const { bavail, bsize, ffree } = statfsSync(dir);
  return { bytes: bavail * bsize, files: ffree };
};

/**
 * What the files in directories take. A file with holes takes less than its size. It ends when there are more files
 * than `most`: to count what a hostile program made must not take all of the time.
 */
export const takenRoom = (dirs: readonly string[], most: number): DiskRoom => {
  let [bytes, files] = [0, 0];
  const left = [...dirs];
  for (let dir = left.pop(); dir !== undefined && files <= most; dir = left.pop()) {
    try {
      const opened = opendirSync(dir);
      for (let entry = opened.readSync(); entry !== null && files <= most; entry = opened.readSync()) {
        const path = join(dir, entry.name);
        files += 1;
        if (entry.isDirectory()) left.push(path);
        else if (entry.isFile()) bytes += (statSync(path, { throwIfNoEntry: false })?.blocks ?? 0) * BLOCK;
      }
      opened.closeSync();
    } catch {
      // A module that has written nothing yet has no directory.
    }
  }
  return { bytes, files };
};
