import { open } from 'lmdb';
import { markSynced, markUnsynced } from '../../broker/lmdb/boot.js';

/** Puts a value into the files of an index that nobody has open, as whoever writes them would. */
export const putIntoIndex = async (path: string, key: string, value: unknown): Promise<void> => {
  markUnsynced(path);
  const root = open<unknown>({ path });
  await root.put(key, value);
  await root.close();
  markSynced(path);
};
