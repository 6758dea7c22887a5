import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder for the files of one measurement, which goes with it. */
export interface BenchDir extends AsyncDisposable {
  readonly path: string;
}

export const makeBenchDir = async (): Promise<BenchDir> => {
  const path = await mkdtemp(join(tmpdir(), 'tallystick-perf-'));
  // Ctrl-C in the middle: the files of a benchmark are large, and nothing else would remove them.
  const atExit = (): void => rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  process.once('exit', atExit);
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      await rm(path, { recursive: true, force: true, maxRetries: 3 });
      process.off('exit', atExit);
    },
  };
};
