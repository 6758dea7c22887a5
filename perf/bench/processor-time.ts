import pidusage from 'pidusage';
import { pause } from '../../system/async/pause.js';

/** Processes by their part in a measurement. */
export type PidsByRole<R extends string> = Readonly<Record<R, number>>;

/** Processor time of each process since its start, milliseconds; steps of 10 on Linux. */
export const processorTime = async <R extends string>(pids: PidsByRole<R>): Promise<Record<R, number>> => {
  const roles = Object.keys(pids) as R[];
  const used = await Promise.all(roles.map(async (role) => (await pidusage(pids[role])).ctime));
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
