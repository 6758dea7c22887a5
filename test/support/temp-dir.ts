import { mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { memoryFileSystem } from '../../broker/server/store-disk.js';

export interface TempDir extends AsyncDisposable {
  readonly path: string;
}

/** The system's temporary folder; where that is in memory, the one beside it that must not be: fsync is refused there. */
const base = (): string => (memoryFileSystem(tmpdir()) === undefined ? tmpdir() : '/var/tmp');

/** A folder of one's own under the system's temporary folder, removed at the end; `KEEP=1` keeps it for a look. */
export const tempDir = (): TempDir => {
  const path = mkdtempSync(join(base(), 'tallystick-test-'));
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      if (process.env.KEEP === '1') {
        process.stderr.write(`kept ${path}\n`);
        return;
      }
      // A process that was just killed may still be creating a file: hence the retries.
      await rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
};
