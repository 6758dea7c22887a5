import { FaultError, fault } from '../../schemas/errors.js';
import { type IndexPosition, indexPosition } from './index-files.js';
import { indexToRead } from './index-to-read.js';

/** Where the index of a broker's data directory stands; undefined where it does not say so reliably. */
export const readIndexPosition = async (dataDir: string): Promise<IndexPosition | undefined> => {
  const files = indexToRead(dataDir, (why) => new FaultError(fault('DATA_DIR_UNUSABLE', why)));
  try {
    const { root, reads } = files.now();
    try {
      const found = indexPosition({ root }, reads.options);
      return typeof found === 'object' ? found : undefined;
    } finally {
      reads.done();
    }
  } catch {
    return undefined;
  } finally {
    await files.close();
  }
};
