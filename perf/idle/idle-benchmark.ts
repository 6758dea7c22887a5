import { pause } from '../../system/async/pause.js';
import { startReaper } from '../../system/processes/reaper.js';
import { startBenchBroker } from '../bench/bench-broker.js';
import { makeBenchDir } from '../bench/bench-dir.js';
import { brokerProcesses } from '../bench/broker-processes.js';
import { type ProcessMemory, processMemory } from '../bench/process-memory.js';
import { atRest, type PidsByRole, processorTime } from '../bench/processor-time.js';
import { type Measured, measured } from '../bench/rounds.js';
import type { Report, Scenario } from '../bench/scenario.js';

const SECONDS = 60;
const ROUNDS = 1;
const MIB = 1024 * 1024;

interface IdleProcess extends ProcessMemory {
  /** Of one core. */
  readonly cpuPercent: Measured;
}

const roundedTo = (digits: number, value: number): number => Number(value.toFixed(digits));

const mib = (bytes: number | null): string => (bytes === null ? 'unknown' : (bytes / MIB).toFixed(1));

/** All that are known; null if one is not. */
const sumOf = (values: readonly (number | null)[]): number | null =>
  values.reduce((all, each) => (all === null || each === null ? null : all + each), 0);

const measure = async (
  pids: PidsByRole<string>,
  rounds: number,
  seconds: number,
  say: (line: string) => void,
): Promise<ReadonlyMap<string, IdleProcess>> => {
  const roles = Object.keys(pids);
  const percents = new Map<string, number[]>(roles.map((role) => [role, []]));
  for (let round = 1; round <= rounds; round++) {
    const [from, before] = [performance.now(), await processorTime(pids)];
    await pause(seconds * 1_000);
    const [to, after] = [performance.now(), await processorTime(pids)];
    const found = roles.map((role) => {
      const percent = (((after[role] ?? 0) - (before[role] ?? 0)) / (to - from)) * 100;
      percents.get(role)?.push(percent);
      return `${role} ${percent.toFixed(2)} %`;
    });
    say(`round ${round} of ${rounds}: ${found.join(', ')}`);
  }
  const all = new Map<string, IdleProcess>();
  for (const [role, pid] of Object.entries(pids))
    all.set(role, { cpuPercent: measured(percents.get(role) ?? []), ...(await processMemory(pid)) });
  return all;
};

const report = (processes: ReadonlyMap<string, IdleProcess>, seconds: number, rounds: number): Report => {
  const each = [...processes.values()];
  const cpuPercent = roundedTo(
    2,
    each.reduce((all, { cpuPercent }) => all + cpuPercent.median, 0),
  );
  const rss = sumOf(each.map((process) => process.rss));
  const pss = sumOf(each.map((process) => process.pss));
  const inMib = (bytes: number | null): number | null => (bytes === null ? null : roundedTo(1, bytes / MIB));
  return {
    data: {
      idle: { seconds, rounds, processes: Object.fromEntries(processes) },
      ratios: { idleCpuPercent: cpuPercent, idleRssMiB: inMib(rss), idlePssMiB: inMib(pss) },
    },
    tables: [
      {
        title: `a broker without work, ${seconds} s, ${rounds} rounds; RSS counts a shared page in each process, PSS once`,
        heads: ['', 'processor, % of a core', 'RSS MiB', 'PSS MiB'],
        rows: [
          ...[...processes].map(([role, { cpuPercent, rss, pss }]) => [
            role,
            cpuPercent.median.toFixed(2),
            mib(rss),
            mib(pss),
          ]),
          ['sum', cpuPercent.toFixed(2), mib(rss), mib(pss)],
        ],
      },
    ],
  };
};

/** What a broker costs that has nothing to do. */
export const idleBroker: Scenario = {
  name: 'idle',
  summary: 'processor time and memory of each process of a broker that has no work',
  takes: ['seconds'],
  run: async ({ seconds = SECONDS, rounds = ROUNDS, say }): Promise<Report> => {
    await using dir = await makeBenchDir();
    const reaper = startReaper();
    try {
      await using _broker = await startBenchBroker(dir.path, reaper, 'fsync');
      const { server, broker, hosts } = await brokerProcesses(dir.path);
      const pids = { server, broker, ...hosts };
      await atRest(pids);
      // After a start, V8 compacts its heap for half a minute. That is no cost of being idle.
      say(`waits ${seconds} s before the first round`);
      await pause(seconds * 1_000);
      return report(await measure(pids, rounds, seconds, say), seconds, rounds);
    } finally {
      await reaper.close();
    }
  },
};
