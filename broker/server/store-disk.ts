import { statfsSync } from 'node:fs';

/**
 * `TMPFS_MAGIC` and `RAMFS_MAGIC` of linux/magic.h. Other systems number their file systems otherwise, and have none.
 */
const IN_MEMORY: ReadonlyMap<number, string> = new Map([
  [0x01021994, 'tmpfs'],
  [0x858458f6, 'ramfs'],
]);

/**
 * The kind of file system in memory that a directory is on; undefined where it is on a disk, or not of this machine.
 */
export const memoryFileSystem = (dir: string): string | undefined => {
  if (process.platform !== 'linux') return undefined;
  try {
    return IN_MEMORY.get(statfsSync(dir).type);
  } catch {
    return undefined;
  }
};
