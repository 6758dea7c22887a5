import { readFile } from 'node:fs/promises';
import pidusage from 'pidusage';
import { pause } from '../../system/async/pause.js';

/** Processes by their part in a measurement. A negative number is a process with all that it started. */
export type PidsByRole<R extends string> = Readonly<Record<R, number>>;

/** For {@link PidsByRole}: a server that works in many processes. */
export const withChildren = (pid: number): number => -pid;

const childrenOf = async (pid: number): Promise<readonly number[]> => {
  const text = await readFile(`/proc/${pid}/task/${pid}/children`, 'latin1').catch(() => '');
  return text.split(' ').filter(Boolean).map(Number);
};

const usedBy = async (pid: number): Promise<number> => {
  if (pid >= 0) return (await pidusage(pid)).ctime;
  const all = [-pid, ...(await childrenOf(-pid))];
  // One of the children may have ended meanwhile.
  const used = await Promise.all(all.map((each) => usedBy(each).catch(() => 0)));
  return used.reduce((sum, each) => sum + each, 0);
};

/** Processor time of each process since its start, milliseconds; steps of 10 on Linux. */
export const processorTime = async <R extends string>(pids: PidsByRole<R>): Promise<Record<R, number>> => {
  const roles = Object.keys(pids) as R[];
  const used = await Promise.all(roles.map((role) => usedBy(pids[role])));
  return Object.fromEntries(roles.map((role, i) => [role, used[i]])) as Record<R, number>;
};

const LOOK_MS = 300;
/** Of all processes together in that time. More than brokers use that have nothing to do. */
const AT_REST_MS = 30;
const LIMIT_MS = 10_000;

const sum = (used: Readonly<Record<string, number>>): number =>
  Object.values(used).reduce((all, each) => all + each, 0);

/** Waits until the processes have no work left: what they put off counts too. */
export const atRest = async (pids: PidsByRole<string>): Promise<void> => {
  const until = performance.now() + LIMIT_MS;
  let before = sum(await processorTime(pids));
  while (performance.now() < until) {
    await pause(LOOK_MS);
    const now = sum(await processorTime(pids));
    if (now - before <= AT_REST_MS) return;
    before = now;
  }
};
