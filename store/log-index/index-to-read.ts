import { statSync } from 'node:fs';
import { join } from 'node:path';
import type { FaultError } from '../../schemas/errors.js';
import { FilesToRead } from '../lmdb/files-to-read.js';
import { type IndexFiles, openIndexToRead } from './index-files.js';

/**
 * The index of a broker's data directory, to be read while that broker writes it; `unavailable` makes what is thrown.
 */
export const indexToRead = (
  dataDir: string,
  unavailable: (why: string) => FaultError,
): FilesToRead<IndexFiles> => {
  const dir = join(dataDir, 'index');
  const mark = (): number => statSync(join(dir, 'data.mdb'), { throwIfNoEntry: false })?.ino ?? 0;
  return new FilesToRead({
    mark,
    dir: () => {
      if (mark() === 0) throw unavailable('no broker has read a log there');
      return dir;
    },
    open: openIndexToRead,
    unavailable: (why) => unavailable(`${why}; the broker's next start makes it again`),
  });
};
