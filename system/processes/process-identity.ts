import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Distinguishes a live process from a later one with the same pid. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Opaque: constant while the process lives, and different for the next one with that pid. */
  readonly startedAt: string;
}

/** `gone`: ended, also as a zombie. `hidden`: the process exists, but the system does not show its start time. */
export type ProcessState =
  | { readonly kind: 'alive'; readonly startedAt: string }
  | { readonly kind: 'gone' }
  | { readonly kind: 'hidden' };

const GONE: ProcessState = { kind: 'gone' };

const read = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
};

const ps = (pid: number, column: string): string => {
  try {
    const env = { ...process.env, LC_ALL: 'C', TZ: 'UTC' };
    const args = ['-ww', '-o', `${column}=`, '-p', String(pid)];
    return execFileSync('ps', args, { env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return '';
  }
};

/** Linux counts start times in ticks since boot, so the boot's id is a part of the identity. */
const linuxState = (pid: number): ProcessState | undefined => {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The name in parentheses may contain spaces and parentheses, so fields are counted from the last one. The first
  // field after it is field 3 of proc(5), the state; the start time is field 22.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  if (fields[0] === 'Z' || fields[0] === 'X') return GONE;
  const boot = read('/proc/sys/kernel/random/boot_id')?.trim() ?? '';
  return { kind: 'alive', startedAt: `${boot}/${fields[19] ?? ''}` };
};

const psState = (pid: number): ProcessState | undefined => {
  const state = ps(pid, 'stat');
  if (state === '') return undefined;
  return state.startsWith('Z') ? GONE : { kind: 'alive', startedAt: ps(pid, 'lstart') };
};

const exists = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
};

/** Looks at a process now. A zombie is gone: it holds no resources and only waits for its parent. */
export const processState = (pid: number): ProcessState =>
  (process.platform === 'linux' ? linuxState(pid) : psState(pid)) ??
  (exists(pid) ? { kind: 'hidden' } : GONE);

/** The command line of a process, words separated by spaces; undefined if it is gone or hidden. */
export const processCommand = (pid: number): string | undefined => {
  const line =
    process.platform === 'linux'
      ? read(`/proc/${pid}/cmdline`)?.replaceAll('\0', ' ').trim()
      : ps(pid, 'command');
  return line === undefined || line === '' ? undefined : line;
};

/** The identity of this process. */
export const ownIdentity = (): ProcessIdentity => {
  const state = processState(process.pid);
  return { pid: process.pid, startedAt: state.kind === 'alive' ? state.startedAt : '' };
};
