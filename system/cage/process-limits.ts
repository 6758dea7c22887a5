import { readdirSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Numbers of the kernel. */
const RLIMIT = { fileBytes: 1, coreBytes: 4, processesOfUser: 6, openFiles: 7 } as const;

const MIN_FILE_BYTES = 256 * 1024 ** 2;
/** The kernel counts all processes and threads of the user. The host of a module has about 12. */
const MAX_PROCESSES = 8_192;
const MAX_OPEN_FILES = 16_384;

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** A file may be as large as the files of its directory are together, and half of the free space more. */
const fileBytes = (dirs: readonly string[]): number => {
  const sizes = dirs.map((dir) => {
    const { bavail, bsize } = statfsSync(dir);
    const names = readdirSync(dir, { recursive: true, encoding: 'utf8' });
    return names.reduce((sum, name) => sum + sizeOf(join(dir, name)), (bavail * bsize) / 2);
  });
  return Math.floor(Math.max(MIN_FILE_BYTES, ...sizes));
};

/** Limits for a process that writes to these directories, by the numbers of the kernel. */
export const limitsFor = (dirs: readonly string[]): readonly (readonly [kind: number, value: number])[] => [
  [RLIMIT.fileBytes, fileBytes(dirs)],
  [RLIMIT.coreBytes, 0],
  [RLIMIT.processesOfUser, MAX_PROCESSES],
  [RLIMIT.openFiles, MAX_OPEN_FILES],
];
