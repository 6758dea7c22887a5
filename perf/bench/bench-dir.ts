import { rmSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder for the files of one measurement, which goes with it. */
export interface BenchDir extends AsyncDisposable {
  readonly path: string;
}

const REMOVE = { recursive: true, force: true, maxRetries: 3 };

const open = new Set<string>();

/** Ctrl-C in the middle: the files of a benchmark are large, and nothing else would remove them. */
const removeAll = (): void => {
  for (const path of open) rmSync(path, REMOVE);
};

export const makeBenchDir = async (): Promise<BenchDir> => {
  const path = await mkdtemp(join(tmpdir(), 'tallystick-perf-'));
  // One listener for all folders: a comparison has a dozen of them.
  if (open.size === 0) process.once('exit', removeAll);
  open.add(path);
  return {
    path,
    [Symbol.asyncDispose]: async () => {
      await rm(path, REMOVE);
      open.delete(path);
      if (open.size === 0) process.off('exit', removeAll);
    },
  };
};
