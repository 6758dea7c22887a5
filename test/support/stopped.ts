import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { waitFor } from './wait-for.js';

const stateIn = (stat: string): string => stat.slice(stat.lastIndexOf(')') + 2, stat.lastIndexOf(')') + 3);

/** States of all threads of a process, a letter each. */
const states = (pid: number): readonly string[] =>
  process.platform === 'linux'
    ? readdirSync(`/proc/${pid}/task`).map((thread) =>
        stateIn(readFileSync(`/proc/${pid}/task/${thread}/stat`, 'latin1')),
      )
    : [execFileSync('ps', ['-o', 'state=', '-p', String(pid)], { encoding: 'utf8' }).charAt(0)];

/** A process that stands still until it is let go on; at the latest when this is disposed of, whatever a test meets. */
export interface Stopped extends Disposable {
  readonly goOn: () => void;
}

/** SIGSTOP; resolves when it stands still: on a busy machine its threads go on for a moment after the signal. */
export const stopped = async (pid: number): Promise<Stopped> => {
  process.kill(pid, 'SIGSTOP');
  let isStopped = true;
  const goOn = (): void => {
    if (isStopped) process.kill(pid, 'SIGCONT');
    isStopped = false;
  };
  await waitFor(`process ${pid} to stand still`, () => states(pid).every((state) => state === 'T'));
  return { goOn, [Symbol.dispose]: goOn };
};
