import { connect, type NatsConnection } from 'nats';
import { type BenchModule, plainAction } from '../bench/bench-module.js';
import { brokerProcesses } from '../bench/broker-processes.js';
import { processMemory } from '../bench/process-memory.js';

/** The monotonic clock of Linux is the same one in all processes. */
export const CLOCK: BenchModule = {
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

/** What is asked of times. */
export interface TimesOfCalls {
  readonly p50Us: number;
  readonly p99Us: number;
}

/** Takes times in nanoseconds, and says what they are. */
export interface TakesTimes<T extends TimesOfCalls> {
  readonly take: (ns: number) => void;
  readonly times: () => T;
}

export interface ClockCalls<T extends TimesOfCalls> {
  /** From the call of the client to the begin of the handler: the command is in the log then. */
  readonly routing: T;
  /** From the begin of the handler until the caller has the result, which is in the log then. */
  readonly processing: T;
  readonly whole: T;
  /** The whole of the first command of an agent that did not exist. */
  readonly firstCommand: T;
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

/** On a slow machine there are fewer calls. */
const LIMIT_NS = 10e9;

const oneByOne = async <T extends TimesOfCalls>(
  nc: NatsConnection,
  calls: number,
  makeTimes: () => TakesTimes<T>,
) => {
  const [routing, processing, whole] = [makeTimes(), makeTimes(), makeTimes()];
  const begun = now();
  for (let i = 0; i < calls && now() - begun < LIMIT_NS; i++) {
    const from = now();
    const at = await tick(nc, `a${i % AGENTS}`);
    const to = now();
    routing.take(at - from);
    processing.take(to - at);
    whole.take(to - from);
  }
  return { routing: routing.times(), processing: processing.times(), whole: whole.times() };
};

const firstCommands = async <T extends TimesOfCalls>(
  nc: NatsConnection,
  agents: number,
  makeTimes: () => TakesTimes<T>,
): Promise<T> => {
  const first = makeTimes();
  const begun = now();
  for (let i = 0; i < agents && now() - begun < LIMIT_NS; i++) {
    const from = now();
    await tick(nc, `new${i}`);
    first.take(now() - from);
  }
  return first.times();
};

const rateOf = async (nc: NatsConnection, seconds: number): Promise<number> => {
  const from = performance.now();
  let done = 0;
  const lane = async (first: number): Promise<void> => {
    for (let i = first; performance.now() - from < seconds * 1_000; i += IN_FLIGHT) {
      await tick(nc, `a${i % AGENTS}`);
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, (_, i) => lane(i)));
  return (done * 1_000) / (performance.now() - from);
};

/** Calls of {@link CLOCK}, which a broker has loaded that runs as people start it. */
export const measureClockCalls = async <T extends TimesOfCalls>(
  { url, dataDir }: { readonly url: string; readonly dataDir: string },
  scale: number,
  makeTimes: () => TakesTimes<T>,
): Promise<ClockCalls<T>> => {
  const { server, broker, hosts } = await brokerProcesses(dataDir);
  const memory = await Promise.all([server, broker, hosts.clock as number].map(processMemory));
  const nc = await connect({ servers: url });
  try {
    const scaled = (count: number): number => Math.max(20, Math.round(count * scale));
    await oneByOne(nc, scaled(WARM), makeTimes);
    return {
      ...(await oneByOne(nc, scaled(CALLS), makeTimes)),
      firstCommand: await firstCommands(nc, scaled(AGENTS), makeTimes),
      perSecond: await rateOf(nc, Math.max(0.3, SECONDS * scale)),
      baseBytes: memory.reduce((sum, { rss }) => sum + rss, 0),
    };
  } finally {
    await nc.close();
  }
};
