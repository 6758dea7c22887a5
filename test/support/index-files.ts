import { open } from 'lmdb';
import { openIndexToRead } from '../../store/log-index/index-files.js';
import { type IndexContentsChange, IndexStore } from '../../broker/index/index-store.js';
import { KeptRows } from '../../broker/index/kept-rows.js';
import { FreshReads } from '../../store/lmdb/fresh-reads.js';
import { Opening } from '../../store/lmdb/opening.js';
import { tempDir } from './temp-dir.js';
import { markSynced, markUnsynced } from '../../store/lmdb/synced-mark.js';

/** Puts a value into the files of an index that nobody has open, as whoever writes them would. */
export const putIntoIndex = async (path: string, key: string, value: unknown): Promise<void> => {
  markUnsynced(path);
  const root = open<unknown>({ path });
  await root.put(key, value);
  await root.close();
  markSynced(path);
};

/** What an index reads that has no files. */
export const noFiles = (): KeptRows => new KeptRows('');

export interface IndexFilesForTest extends AsyncDisposable {
  readonly rows: KeptRows;
  readonly commit: (change: Partial<IndexContentsChange>) => void;
}

/** The files of an index, to write and to read in this process. */
export const indexFiles = (): IndexFilesForTest => {
  const dir = tempDir();
  const store = new IndexStore(dir.path);
  const position = { logId: 'this log', seq: 0, uncaused: [] };
  const opening = new Opening(dir.path);
  const files = openIndexToRead(opening, dir.path);
  const reads = new FreshReads(files.root);
  const rows = new KeptRows(dir.path);
  rows.readFrom({ files, reads });
  return {
    rows,
    commit: (change) => store.commit({ startsOver: false, rows: {}, counts: [], ...change, position }),
    [Symbol.asyncDispose]: async () => {
      reads.close();
      await files.root.close();
      await opening.close();
      await store.close();
      await dir[Symbol.asyncDispose]();
    },
  };
};
