import { execFileSync } from 'node:child_process';
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** For tests of what a loss of power leaves: another value stands for another boot of the machine. */
const BOOT_VARIABLE = 'TALLYSTICK_BOOT';

const readBoot = (): string =>
  process.platform === 'linux'
    ? readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    : execFileSync('sysctl', ['-n', 'kern.bootsessionuuid'], { encoding: 'utf8' }).trim();

let boot: string | undefined;

/** What differs after each start of the machine. */
export const bootOfMachine = (): string => {
  boot ??= process.env[BOOT_VARIABLE] ?? readBoot();
  return boot;
};

const fileIn = (dir: string): string => join(dir, 'boot');

const write = (dir: string, text: string): void => {
  const path = fileIn(dir);
  const file = openSync(`${path}.next`, 'w', 0o600);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
  renameSync(`${path}.next`, path);
};

/** From here on what is in the database may be in memory only. On disk before anything else is. */
export const markUnsynced = (dir: string): void => write(dir, bootOfMachine());

/** All of the database is on disk. */
export const markSynced = (dir: string): void => {
  const data = openSync(join(dir, 'data.mdb'), 'r+');
  try {
    fsyncSync(data);
  } finally {
    closeSync(data);
  }
  write(dir, 'synced');
};

/**
 * Whether a database that is written without waiting for the disk is whole: its last writer put all of it there, or the
 * machine has not started anew since. A process that was killed takes nothing along that it had written.
 */
export const isWhole = (dir: string): boolean => {
  try {
    const marked = readFileSync(fileIn(dir), 'utf8');
    return marked === 'synced' || marked === bootOfMachine();
  } catch {
    return false;
  }
};
