import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

export interface RunningProcess {
  readonly pid: number;
  readonly groupId: number;
  readonly command: string;
}

/** `/proc/<pid>/stat` is `pid (name) state parent group …`, and the name may hold spaces and brackets. */
const readProc = (pid: number): RunningProcess | undefined => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // A zombie holds nothing any more; it stays listed for as long as its parent does not ask after it.
    if (state === 'Z' || state === 'X') return undefined;
    const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
    return { pid, groupId: Number(group), command };
  } catch {
    return undefined; // It ended while it was being read.
  }
};

const readPs = (): RunningProcess[] =>
  execFileSync('ps', ['-axo', 'pid=,pgid=,stat=,command='], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
    .split('\n')
    .flatMap((line) => {
      const [, pid, groupId, state, command] = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(.*)$/.exec(line) ?? [];
      if (command === undefined || state?.startsWith('Z')) return [];
      return [{ pid: Number(pid), groupId: Number(groupId), command }];
    });

/** Every process that runs now, without those that have ended and wait for their parent. */
export const runningProcesses = (): RunningProcess[] =>
  process.platform === 'linux'
    ? readdirSync('/proc')
        .filter((name) => /^\d+$/.test(name))
        .flatMap((name) => readProc(Number(name)) ?? [])
    : readPs();

/** The processes with this text in their command line, such as a data directory; never this process itself. */
export const processesMentioning = (text: string): { pid: number; command: string }[] =>
  runningProcesses()
    .filter(({ pid, command }) => pid !== process.pid && command.includes(text))
    .map(({ pid, command }) => ({ pid, command }));

export const isAlive = (pid: number): boolean =>
  process.platform === 'linux'
    ? readProc(pid) !== undefined
    : runningProcesses().some((running) => running.pid === pid);
