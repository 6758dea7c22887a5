import { readFileSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import { type Database, open } from 'lmdb';
import { checkRoom } from './free-space.js';
import { mappedBytesOfKey } from './lmdb-insides.js';

const KEY = Buffer.from('page');
/** The file is never larger: a few pages of LMDB, and the value. */
const FILE_BYTES = 256 * 1024;

/** Bytes that are in a file as soon as they are in memory. */
export interface MappedPage {
  readonly bytes: Uint8Array;
  /** Ends the mapping. Then the bytes must not be touched: that ends the process. */
  readonly close: () => Promise<void>;
}

const openPage = (path: string, useWritemap: boolean): Database<Buffer, Buffer> =>
  open({
    path,
    noSubdir: true,
    encoding: 'binary',
    keyEncoding: 'binary',
    // No other process opens the file, and after a loss of power it says nothing.
    noSync: true,
    mapSize: FILE_BYTES,
    useWritemap,
  });

/** Whether what is written into the memory is in the file. */
const isInFile = (path: string, bytes: Uint8Array): boolean => {
  const probe = Buffer.from(bytes.map((byte) => byte ^ 0xff));
  const before = Buffer.from(bytes);
  bytes.set(probe);
  const isThere = readFileSync(path).includes(probe);
  bytes.set(before);
  return isThere;
};

/**
 * Makes a file that has these bytes, and maps them into memory. What you write there is in the file without a system
 * call, and outlives the process. Node cannot map a file, but LMDB does: the bytes are one value of a database, and
 * LMDB's map of the file can be written. LMDB never opens a file that was there before, so a damaged one does no harm.
 * Undefined where the bytes are not mapped. Throws when the file cannot be made.
 */
export const mapPage = async (path: string, value: Buffer): Promise<MappedPage | undefined> => {
  for (const each of [path, `${path}-lock`]) rmSync(each, { force: true });
  checkRoom(dirname(path));
  // Not mapped to be written at first: a full disk is then an error, and not the end of the process.
  const made = openPage(path, false);
  made.putSync(KEY, value);
  await made.close();
  const page = openPage(path, true);
  const bytes = mappedBytesOfKey(page, KEY);
  const close = (): Promise<void> => page.close();
  if (bytes?.length === value.length && isInFile(path, bytes)) return { bytes, close };
  await close();
  return undefined;
};
