import { join } from 'node:path';
import { connect, type NatsConnection } from 'nats';
import type { Reaper } from '../../system/processes/reaper.js';
import { startBenchBroker } from '../bench/bench-broker.js';
import { plainAction, writeBenchModule } from '../bench/bench-module.js';
import { makeBenchDir } from '../bench/bench-dir.js';
import { brokerProcesses } from '../bench/broker-processes.js';
import { type Times, timesIn, newHistogram } from '../bench/histogram.js';
import { processMemory } from '../bench/process-memory.js';

/** The monotonic clock of Linux is the same one in all processes. */
const CLOCK = {
  manifest: {
    name: 'clock',
    version: '1.0.0',
    description: 'Tells when its handler began.',
    actions: { tick: plainAction() },
    events: {},
    start: { entry: './index.js' },
  },
  code: `
const tick = () => ({ _tag: 'Right', right: { data: { atNs: Number(process.hrtime.bigint()) }, events: [] } });
export default { manifest, initial: {}, actions: { tick: { decide: tick } }, evolve: {} };
`,
};

export interface ClockCalls {
  /** From the call of the client to the begin of the handler: the command is in the log then. */
  readonly routing: Times;
  /** From the begin of the handler until the caller has the result, which is in the log then. */
  readonly processing: Times;
  readonly whole: Times;
  /** The whole of the first command of an agent that did not exist. */
  readonly firstCommand: Times;
  /** Calls a second with {@link IN_FLIGHT} in flight. */
  readonly perSecond: number;
  /** Resident memory of server, broker and one host, bytes. */
  readonly baseBytes: number;
}

const CALLS = 2_000;
const WARM = 500;
const AGENTS = 1_000;
const IN_FLIGHT = 256;
const SECONDS = 3;
const TIMEOUT_MS = 30_000;

const now = (): number => Number(process.hrtime.bigint());

const tick = async (nc: NatsConnection, agent: string): Promise<number> => {
  const reply = await nc.request(`call.clock.tick.${agent}`, '{}', { timeout: TIMEOUT_MS });
  const { data } = reply.json<{ readonly data?: { readonly atNs: number } }>();
  if (data === undefined) throw new Error(reply.string());
  return data.atNs;
};

const oneByOne = async (nc: NatsConnection, calls: number) => {
  const [routing, processing, whole] = [newHistogram(), newHistogram(), newHistogram()];
  for (let i = 0; i < calls; i++) {
    const from = now();
    const at = await tick(nc, `a${i % AGENTS}`);
    const to = now();
    routing.recordValue(at - from);
    processing.recordValue(to - at);
    whole.recordValue(to - from);
  }
  return { routing: timesIn(routing), processing: timesIn(processing), whole: timesIn(whole) };
};

const firstCommands = async (nc: NatsConnection, agents: number): Promise<Times> => {
  const first = newHistogram();
  for (let i = 0; i < agents; i++) {
    const from = now();
    await tick(nc, `new${i}`);
    first.recordValue(now() - from);
  }
  return timesIn(first);
};

const rateOf = async (nc: NatsConnection): Promise<number> => {
  const from = performance.now();
  let done = 0;
  const lane = async (first: number): Promise<void> => {
    for (let i = first; performance.now() - from < SECONDS * 1_000; i += IN_FLIGHT) {
      await tick(nc, `a${i % AGENTS}`);
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, (_, i) => lane(i)));
  return (done * 1_000) / (performance.now() - from);
};

/** Calls of a module that tells when its handler began, through a broker as people start it, at level `os`. */
export const measureClockCalls = async (scale: number, reaper: Reaper): Promise<ClockCalls> => {
  await using dir = await makeBenchDir();
  const data = join(dir.path, 'data');
  const more = ['--no-shipped', '--module', writeBenchModule(dir.path, CLOCK)];
  await using broker = await startBenchBroker(data, reaper, 'os', more);
  const { server, broker: daemon, hosts } = await brokerProcesses(data);
  const memory = await Promise.all([server, daemon, hosts.clock as number].map(processMemory));
  const nc = await connect({ servers: broker.url });
  try {
    const scaled = (count: number): number => Math.max(20, Math.round(count * scale));
    await oneByOne(nc, scaled(WARM));
    return {
      ...(await oneByOne(nc, scaled(CALLS))),
      firstCommand: await firstCommands(nc, scaled(AGENTS)),
      perSecond: await rateOf(nc),
      baseBytes: memory.reduce((sum, { rss }) => sum + rss, 0),
    };
  } finally {
    await nc.close();
  }
};
