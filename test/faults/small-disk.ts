import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir } from '../support/temp-dir.js';

/** A file system of so many bytes, of which a test can leave nothing. */
export interface SmallDisk extends AsyncDisposable {
  readonly path: string;
  /** Takes all room that there is. */
  readonly fill: () => void;
  readonly free: () => void;
}

const run = (...[command = '', ...args]: readonly string[]): string | undefined => {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? undefined : (error?.message ?? stderr.trim());
};

/** Mounts one in memory; why that cannot be done, where it is not allowed. */
export const mountSmallDisk = (mib: number): SmallDisk | string => {
  const dir = tempDir();
  const path = join(dir.path, 'disk');
  mkdirSync(path);
  const why = run('mount', '-t', 'tmpfs', '-o', `size=${mib}m,mode=700`, 'tmpfs', path);
  if (why !== undefined) return why;
  const ballast = join(path, 'ballast');
  return {
    path,
    fill: () => {
      const file = openSync(ballast, 'a');
      // Pages first, then what is left of the last one.
      for (const bytes of [65_536, 4_096, 1]) {
        const buffer = Buffer.alloc(bytes);
        try {
          while (writeSync(file, buffer) > 0);
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
        }
      }
      closeSync(file);
    },
    free: () => rmSync(ballast),
    [Symbol.asyncDispose]: async () => {
      run('umount', path);
      await dir[Symbol.asyncDispose]();
    },
  };
};
