import { join } from 'node:path';
import { connect } from 'nats';
import { pause } from '../../system/async/pause.js';
import { startReaper } from '../../system/processes/reaper.js';
import { formatNumber } from '../../text/numbers.js';
import { startBenchBroker } from '../bench/bench-broker.js';
import { writeBenchModule } from '../bench/bench-module.js';
import { makeBenchDir } from '../bench/bench-dir.js';
import { brokerProcesses } from '../bench/broker-processes.js';
import { percentile } from '../bench/percentiles.js';
import { processMemory } from '../bench/process-memory.js';
import type { Report, Scenario } from '../bench/scenario.js';
import { connectOperator } from '../burst/connect-operator.js';
import { SLEEPER, sendToSleep } from './sleeper-module.js';

const SLEEPERS = 10_000;
/** All must sleep before they are due. */
const LEAD_MS = 120_000;
/** Before the memory is read. */
const SETTLE_MS = 3_000;
const MIB = 1024 * 1024;

interface SleepersMemory {
  readonly broker: number;
  readonly host: number;
}

const memoryOf = async (dataDir: string): Promise<SleepersMemory> => {
  await pause(SETTLE_MS);
  const { broker, hosts } = await brokerProcesses(dataDir);
  const [ofBroker, ofHost] = await Promise.all([broker, hosts.sleeper as number].map(processMemory));
  return { broker: ofBroker?.rss ?? 0, host: ofHost?.rss ?? 0 };
};

const measure = async (sleepers: number, say: (line: string) => void) => {
  const reaper = startReaper();
  try {
    await using dir = await makeBenchDir();
    const data = join(dir.path, 'data');
    const module = writeBenchModule(dir.path, SLEEPER);
    const more = ['--no-shipped', '--module', module];
    await using broker = await startBenchBroker(data, reaper, 'os', more);
    const operator = await connectOperator(data);
    const nc = await connect({ servers: broker.url });
    const idle = await memoryOf(data);
    const untilMs = Date.now() + LEAD_MS;
    const begun = performance.now();
    await sendToSleep(nc, operator, sleepers, untilMs);
    const fellAsleepMs = performance.now() - begun;
    say(`${sleepers} handlers sleep after ${Math.round(fellAsleepMs)} ms`);
    const sleeping = await memoryOf(data);
    if (Date.now() > untilMs) throw new Error('they were due before all slept');
    const late: number[] = [];
    const answered = new Promise<void>((resolve) => {
      operator.subscribe('live.res.sleeper.>', {
        callback: () => {
          if (late.push(Date.now() - untilMs) === sleepers) resolve();
        },
      });
    });
    await operator.flush();
    await answered;
    await Promise.all([nc.close(), operator.close()]);
    return { fellAsleepMs, idle, sleeping, late: Float64Array.from(late).sort() };
  } finally {
    await reaper.close();
  }
};

const mib = (bytes: number): string => (bytes / MIB).toFixed(1);

/** What handlers that sleep cost, and how late they end if all are due together. */
export const sleepersBenchmark: Scenario = {
  name: 'sleepers',
  summary:
    'memory of broker and host while 10,000 handlers sleep, and when the last one ends if all are due together',
  takes: ['agents'],
  run: async ({ agents: counts = [SLEEPERS], say }): Promise<Report> => {
    const found = [];
    for (const count of counts) found.push({ count, ...(await measure(count, say)) });
    return {
      data: {
        sleepers: found.map(({ late, ...rest }) => ({
          ...rest,
          lateMs: { first: late[0], median: percentile(late, 0.5), last: late.at(-1) },
        })),
      },
      tables: [
        {
          title: 'memory of the processes (resident), MiB',
          heads: ['sleepers', 'broker, idle', 'broker, all asleep', 'host, idle', 'host, all asleep'],
          rows: found.map(({ count, idle, sleeping }) => [
            formatNumber(count),
            mib(idle.broker),
            mib(sleeping.broker),
            mib(idle.host),
            mib(sleeping.host),
          ]),
        },
        {
          title: 'all due together: time from then to the results, ms',
          heads: ['sleepers', 'first', 'median', 'last', 'until all slept'],
          rows: found.map(({ count, late, fellAsleepMs }) => [
            formatNumber(count),
            `${late[0]}`,
            `${percentile(late, 0.5)}`,
            `${late.at(-1)}`,
            `${Math.round(fellAsleepMs)}`,
          ]),
        },
      ],
    };
  },
};
