import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { replaceFileSync } from '../../system/files/durable-file.js';

/** For tests of what a loss of power leaves: another value stands for another boot of the machine. */
const BOOT_VARIABLE = 'TALLYSTICK_BOOT';

const readBoot = (): string =>
  process.platform === 'linux'
    ? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    : execFileSync('sysctl', ['-n', 'kern.bootsessionuuid'], { encoding: 'utf8' }).trim();

let bootId: string | undefined;

/** What differs after each start of the machine. */
export const bootOfMachine = (): string => {
  bootId ??= process.env[BOOT_VARIABLE] ?? readBoot();
  return bootId;
};

const fileIn = (dir: string): string => join(dir, 'boot');

/** From here on what is in the database may be in memory only. On disk before anything else is. */
export const markUnsynced = (dir: string): void => replaceFileSync(fileIn(dir), bootOfMachine());

const CHUNK_BYTES = 1024 * 1024;

/** Of all that is in an open file. */
const digestOf = (file: number): string => {
  const hash = createHash('sha256');
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  for (let at = 0; ; ) {
    const read = readSync(file, chunk, 0, CHUNK_BYTES, at);
    if (read === 0) return hash.digest('hex');
    hash.update(chunk.subarray(0, read));
    at += read;
  }
};

const SYNCED = 'synced ';
const DAMAGED = 'damaged';

const marked = (dir: string): string => {
  try {
    return readFileSync(fileIn(dir), 'utf8');
  } catch {
    return '';
  }
};

/** All of the database is on disk, and must be the same when it is opened again. */
export const markSynced = (dir: string): void => {
  if (marked(dir) === DAMAGED) return;
  const data = openSync(join(dir, 'data.mdb'), 'r+');
  try {
    fsyncSync(data);
    replaceFileSync(fileIn(dir), `${SYNCED}${digestOf(data)}`);
  } finally {
    closeSync(data);
  }
};

/** Whether its last writer has put all of it on disk, and closed it. */
export const isSynced = (dir: string): boolean => marked(dir).startsWith(SYNCED);

/** Something in the database is not what was written: it must not be opened again. */
export const markDamaged = (dir: string): void => replaceFileSync(fileIn(dir), DAMAGED);

const isAsSynced = (dir: string, mark: string): boolean => {
  const data = openSync(join(dir, 'data.mdb'), 'r');
  try {
    return mark === `${SYNCED}${digestOf(data)}`;
  } finally {
    closeSync(data);
  }
};

/**
 * Why a database that is written without waiting for the disk is not whole; undefined where its last writer put all
 * of it on disk and it is what that wrote, or if the machine has not restarted since. A process that was killed takes
 * nothing along that it had written. The whole file is compared, because LMDB checks nothing of what it reads: a bit
 * in a page of keys hides agents, or ends the process.
 */
export const whyNotWhole = (dir: string): string | undefined => {
  const mark = marked(dir);
  if (mark === bootOfMachine()) return undefined;
  if (mark === DAMAGED) return `what is in ${dir} did not fit its checksum`;
  if (!mark.startsWith(SYNCED)) return `the machine stopped before all of ${dir} was on disk`;
  // A writer that has opened it meanwhile has said so first.
  if (isAsSynced(dir, mark) || marked(dir) !== mark) return undefined;
  return `${dir} is damaged: it is not what was written there`;
};
