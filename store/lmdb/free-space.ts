import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** More than a new database takes. Without room for that, lmdb-js 3.5.6 takes the process down with SIGSEGV. */
const ROOM_BYTES = 128 * 1024;

/** Whether there is room for what opening writes. Throws when there is not, or the directory cannot be written. */
export const checkRoom = (dir: string): void => {
  const path = join(dir, 'room');
  try {
    writeFileSync(path, Buffer.alloc(ROOM_BYTES));
  } finally {
    rmSync(path, { force: true });
  }
};
