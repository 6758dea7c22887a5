import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fdatasyncSync,
  mkdtempSync,
  openSync,
  rmSync,
  statfsSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { memoryFileSystem } from '../../broker/server/store-disk.js';
import type { Durability } from '../../schemas/log.js';
import { formatBytes } from '../../text/bytes.js';
import { type Diagnosis, asOk, asProblem, asWarning } from './diagnosis.js';

const GIB = 1024 ** 3;
/** The log gets half of what is free when it is made. */
const LITTLE_SPACE = 2 * GIB;
const SYNCS = 15;
const SYNC_BYTES = 4_096;
/** A disk that takes longer makes a lone caller wait for it. */
const SLOW_SYNC_MS = 20;

/** The directory itself, or the nearest one above it that exists: there `start` would make it. */
const existing = (dir: string): string =>
  existsSync(dir) || dirname(dir) === dir ? dir : existing(dirname(dir));

const reason = (error: unknown): string => (error as Error).message;

const checkDirectory = (dir: string, at: string): Diagnosis => {
  const choose = 'make it a directory that this user may write, or choose another with --data';
  if (!statSync(at).isDirectory()) return asProblem('data directory', `${at} is not a directory`, choose);
  try {
    accessSync(at, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    return asProblem('data directory', reason(error), choose);
  }
  return asOk('data directory', at === dir ? dir : `${dir}, which the first start makes`);
};

const checkSpace = (at: string): Diagnosis => {
  const { bavail, bsize } = statfsSync(at);
  const free = bavail * bsize;
  return free < LITTLE_SPACE
    ? asWarning('disk space', `${formatBytes(free)} free`, 'make room, or set a small log with --max-bytes')
    : asOk('disk space', `${formatBytes(free)} free`);
};

/** The median of some syncs of a small file, milliseconds. */
const syncMs = (at: string): number => {
  const dir = mkdtempSync(join(at, '.doctor-'));
  try {
    const file = openSync(join(dir, 'sync'), 'w');
    const block = Buffer.alloc(SYNC_BYTES, 1);
    const times = Array.from({ length: SYNCS }, () => {
      writeSync(file, block);
      const begun = performance.now();
      fdatasyncSync(file);
      return performance.now() - begun;
    });
    closeSync(file);
    return times.sort((a, b) => a - b)[SYNCS >> 1] as number;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
};

const checkSync = (at: string, durability: Durability): Diagnosis => {
  const kind = memoryFileSystem(at);
  if (kind !== undefined && durability === 'fsync')
    return asProblem(
      'sync',
      `${at} is on a ${kind}, which is gone with the power`,
      'choose a directory on a disk with --data, or start with --durability os',
    );
  const ms = syncMs(at);
  const found = `${ms.toFixed(ms < 1 ? 2 : 1)} ms for a sync of 4 KiB (median of ${SYNCS})`;
  return ms > SLOW_SYNC_MS && durability === 'fsync'
    ? asWarning('sync', found, 'a lone call waits for three of them: use a faster disk, or --durability os')
    : asOk('sync', found);
};

/** The directory that has everything that lasts, its space, and how fast its disk syncs. Leaves nothing in it. */
export const checkDisk = (dir: string, durability: Durability): readonly Diagnosis[] => {
  const at = existing(dir);
  const directory = checkDirectory(dir, at);
  if (directory.state === 'problem') return [directory];
  try {
    return [directory, checkSpace(at), checkSync(at, durability)];
  } catch (error) {
    return [directory, asProblem('disk', reason(error), 'look at the disk, or choose another with --data')];
  }
};
