import { join } from 'node:path';
import { connect } from 'nats';
import { startReaper } from '../../system/processes/reaper.js';
import { formatNumber } from '../../text/numbers.js';
import { startBenchBroker } from '../bench/bench-broker.js';
import { type BenchModule, plainAction, writeBenchModule } from '../bench/bench-module.js';
import { makeBenchDir } from '../bench/bench-dir.js';
import { brokerProcesses } from '../bench/broker-processes.js';
import { timed } from '../bench/histogram.js';
import { processMemory } from '../bench/process-memory.js';

/** A broker with so many modules, each in its process. */
export interface ModulesPoint {
  readonly modules: number;
  readonly startSeconds: number;
  /** Memory of all hosts, with their share of what they have in common where the system tells it. */
  readonly hostsBytes: number;
  readonly brokerBytes: number;
  readonly callP50Us: number;
}

const CALLS = 300;
const TIMEOUT_MS = 30_000;

const moduleNamed = (name: string): BenchModule => ({
  manifest: {
    name,
    version: '1.0.0',
    description: 'Does nothing.',
    actions: { ping: plainAction() },
    events: {},
    start: { entry: './index.js' },
  },
  code: `
const ping = () => ({ _tag: 'Right', right: { data: {}, events: [] } });
export default { manifest, initial: {}, actions: { ping: { decide: ping } }, evolve: {} };
`,
});

const measureModules = async (count: number): Promise<ModulesPoint> => {
  const reaper = startReaper();
  try {
    await using dir = await makeBenchDir();
    const data = join(dir.path, 'data');
    const names = Array.from({ length: count }, (_, i) => `m${i}`);
    const modules = names.flatMap((name) => ['--module', writeBenchModule(dir.path, moduleNamed(name))]);
    await using broker = await startBenchBroker(data, reaper, 'os', ['--no-shipped', ...modules]);
    const { broker: daemon, hosts } = await brokerProcesses(data);
    const memory = await Promise.all(Object.values(hosts).map(processMemory));
    const nc = await connect({ servers: broker.url });
    let i = 0;
    const { p50Us } = await timed(CALLS, () =>
      nc.request(`call.m${i++ % count}.ping.a`, '{}', { timeout: TIMEOUT_MS }),
    );
    await nc.close();
    return {
      modules: count,
      startSeconds: broker.seconds,
      hostsBytes: memory.reduce((sum, { pss, rss }) => sum + (pss ?? rss), 0),
      brokerBytes: (await processMemory(daemon)).rss,
      callP50Us: p50Us,
    };
  } finally {
    await reaper.close();
  }
};

export const measureModuleGrowth = async (
  counts: readonly number[],
  say: (line: string) => void,
): Promise<readonly ModulesPoint[]> => {
  const points: ModulesPoint[] = [];
  for (const count of counts) {
    const point = await measureModules(count);
    say(
      `${count} modules: ${point.startSeconds.toFixed(2)} s, p50 of a call ${formatNumber(point.callP50Us)} us`,
    );
    points.push(point);
  }
  return points;
};
