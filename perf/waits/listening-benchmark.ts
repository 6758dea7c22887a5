import { join } from 'node:path';
import { connect, type NatsConnection } from 'nats';
import { readLog } from '../../journal/index.js';
import { deliveryOf } from '../../schemas/heard-events.js';
import { HEADER } from '../../schemas/headers.js';
import type { Durability } from '../../schemas/log.js';
import { pause } from '../../system/async/pause.js';
import { type Reaper, startReaper } from '../../system/processes/reaper.js';
import { formatNumber } from '../../text/numbers.js';
import { startBenchBroker } from '../bench/bench-broker.js';
import { type BenchModule, plainAction, writeBenchModule } from '../bench/bench-module.js';
import { makeBenchDir } from '../bench/bench-dir.js';
import { brokerProcesses } from '../bench/broker-processes.js';
import { newHistogram, type Times, timesIn } from '../bench/histogram.js';
import { processMemory } from '../bench/process-memory.js';
import { processorTime } from '../bench/processor-time.js';
import type { Report, Scenario } from '../bench/scenario.js';
import { connectOperator } from '../burst/connect-operator.js';
import { SLEEPER, sendToSleep, statusOf } from './sleeper-module.js';

const SLEEPERS = 10_000;
const SECONDS = 30;
/** Events a second, from commands that emit some each. */
const EVENTS = 1_000;
const EVENTS_OF_COMMAND = 10;
const COMMANDS = EVENTS / EVENTS_OF_COMMAND;
const AGENTS = 500;
const LOOK_MS = 100;
/** So long a listener may take for what is left. */
const LIMIT_MS = 120_000;
const MIB = 1024 * 1024;
const HOUR_MS = 3_600_000;
const LEVELS: readonly Durability[] = ['os', 'fsync'];

const EVENT = { data: { type: 'object' } };

const TALKER: BenchModule = {
  manifest: {
    name: 'talker',
    version: '1.0.0',
    description: 'Emits events.',
    actions: { talk: plainAction() },
    events: { said: EVENT },
    start: { entry: './index.js' },
  },
  code: `
const events = Array.from({ length: ${EVENTS_OF_COMMAND} }, (_, at) => ({ name: 'said', data: { at } }));
const talk = () => ({ _tag: 'Right', right: { data: {}, events } });
export default { manifest, initial: {}, actions: { talk: { decide: talk } }, evolve: { said: (state) => state } };
`,
};

const LISTENER: BenchModule = {
  manifest: {
    name: 'listener',
    version: '1.0.0',
    description: 'Counts the events of another module.',
    actions: { hear: { ...plainAction(), callers: 'events', output: {} } },
    events: { counted: EVENT },
    on: { 'talker.said': { action: 'hear' } },
    start: { entry: './index.js' },
  },
  code: `
const hear = () => ({ _tag: 'Right', right: { data: null, events: [{ name: 'counted', data: {} }] } });
const counted = ({ count }) => ({ count: count + 1 });
export default { manifest, initial: { count: 0 }, actions: { hear: { decide: hear } }, evolve: { counted } };
`,
};

/** One command each so many milliseconds, from a fixed begin: a late one does not put off those behind it. */
const talk = async (nc: NatsConnection, seconds: number): Promise<void> => {
  const sent: Promise<unknown>[] = [];
  const begun = performance.now();
  for (let i = 0; i < seconds * COMMANDS; i++) {
    const wait = begun + (i * 1_000) / COMMANDS - performance.now();
    if (wait > 0) await pause(wait);
    sent.push(nc.request(`cmd.talker.talk.a${i % AGENTS}`, '{}', { timeout: 30_000 }));
  }
  await Promise.all(sent);
};

interface HeardInLog {
  readonly events: number;
  /** From the time when an event was stored to the time when the result of its listener was. */
  readonly lag: Times;
}

/** What the log says of the events and of their results. */
const heardIn = async (nc: NatsConnection, signal: AbortSignal): Promise<HeardInLog> => {
  const said = new Map<number, number>();
  const deliveries = new Map<number, number>();
  const lag = newHistogram();
  let events = 0;
  for await (const record of readLog(nc, { signal })) {
    const us = Math.round(Number(record.nanos) / 1_000);
    if (record.subject.startsWith('evt.talker.said.')) {
      events += 1;
      said.set(record.seq, us);
    }
    const event = deliveryOf('listener', (name) => record.header(name))?.event;
    if (event !== undefined) deliveries.set(record.seq, event);
    if (!record.subject.startsWith('res.listener.')) continue;
    const stored = said.get(deliveries.get(Number(record.header(HEADER.cause))) ?? 0);
    if (stored !== undefined) lag.recordValue((us - stored) * 1_000);
  }
  return { events, lag: timesIn(lag) };
};

interface ListeningFound extends HeardInLog {
  readonly durability: Durability;
  readonly sleepers: number;
  readonly rss: Readonly<Record<string, number>>;
  /** Processor time of an event, microseconds, by process. */
  readonly processorUs: Readonly<Record<string, number>>;
  /** Events that waited at most, as the broker counts them. */
  readonly mostWaiting: number;
  /** From the end of the commands to the last result. */
  readonly behindMs: number;
}

const measure = async (
  durability: Durability,
  sleepers: number,
  seconds: number,
  reaper: Reaper,
): Promise<ListeningFound> => {
  await using dir = await makeBenchDir();
  const data = join(dir.path, 'data');
  const modules = [SLEEPER, TALKER, LISTENER].map((each) => writeBenchModule(dir.path, each));
  const more = ['--no-shipped', ...modules.flatMap((path) => ['--module', path])];
  await using broker = await startBenchBroker(data, reaper, durability, more);
  const operator = await connectOperator(data);
  const nc = await connect({ servers: broker.url });
  try {
    if (sleepers > 0) await sendToSleep(nc, operator, sleepers, Date.now() + HOUR_MS);
    const { server, broker: daemon, hosts } = await brokerProcesses(data);
    const pids = { server, broker: daemon, listener: hosts.listener as number };
    const before = await processorTime(pids);
    const expected = seconds * EVENTS;
    let results = 0;
    operator.subscribe('live.res.listener.>', {
      callback: () => {
        results += 1;
      },
    });
    await operator.flush();
    const begun = performance.now();
    const talking = talk(nc, seconds);
    let mostWaiting = 0;
    while (results < expected) {
      const { eventsWaiting = 0, lag } = await statusOf(operator, 'listener');
      mostWaiting = Math.max(mostWaiting, eventsWaiting + lag);
      if (performance.now() - begun > seconds * 1_000 + LIMIT_MS)
        throw new Error(`${results} of ${expected} events were handled`);
      await pause(LOOK_MS);
    }
    const behindMs = performance.now() - begun - seconds * 1_000;
    await talking;
    const after = await processorTime(pids);
    const memory = await Promise.all(
      Object.values({ ...pids, sleeper: hosts.sleeper as number }).map(processMemory),
    );
    const names = [...Object.keys(pids), 'sleeper'];
    const heard = await heardIn(operator, AbortSignal.timeout(LIMIT_MS));
    if (heard.lag.count !== heard.events)
      throw new Error(`${heard.lag.count} of ${heard.events} events have a result`);
    return {
      ...heard,
      durability,
      sleepers,
      rss: Object.fromEntries(names.map((name, i) => [name, memory[i]?.rss ?? 0])),
      processorUs: Object.fromEntries(
        Object.entries(after).map(([role, used]) => [
          role,
          ((used - before[role as keyof typeof before]) * 1_000) / heard.events,
        ]),
      ),
      mostWaiting,
      behindMs,
    };
  } finally {
    await Promise.all([nc.close(), operator.close()]);
  }
};

const mib = (bytes: number): string => (bytes / MIB).toFixed(1);
const ms = (us: number): string => (us / 1_000).toFixed(1);

/** A module that listens while many handlers sleep. */
export const listeningBenchmark: Scenario = {
  name: 'listening',
  summary: `a module handles ${EVENTS} events a second of another one while 10,000 handlers sleep: lag, memory, processors`,
  takes: ['agents', 'seconds'],
  run: async ({ agents: sleepers = [SLEEPERS], seconds = SECONDS, say }): Promise<Report> => {
    const reaper = startReaper();
    const found: ListeningFound[] = [];
    try {
      for (const durability of LEVELS) {
        for (const count of [0, ...sleepers]) {
          const one = await measure(durability, count, seconds, reaper);
          say(
            `${durability}, ${count} asleep: p99 ${ms(one.lag.p99Us)} ms, ${one.mostWaiting} waited at most`,
          );
          found.push(one);
        }
      }
    } finally {
      await reaper.close();
    }
    const name = ({ durability, sleepers }: ListeningFound): readonly string[] => [
      durability,
      formatNumber(sleepers),
    ];
    return {
      data: { eventsPerSecond: EVENTS, seconds, listening: found },
      tables: [
        {
          title: `${formatNumber(EVENTS)} events a second for ${seconds} s: from an event to the result of its listener`,
          heads: [
            'level',
            'asleep',
            'events',
            'p50 ms',
            'p99 ms',
            'max ms',
            'most waiting',
            'behind at the end, ms',
          ],
          rows: found.map((one) => [
            ...name(one),
            formatNumber(one.events),
            ms(one.lag.p50Us),
            ms(one.lag.p99Us),
            ms(one.lag.maxUs),
            formatNumber(one.mostWaiting),
            formatNumber(Math.round(one.behindMs)),
          ]),
        },
        {
          title: 'resident memory at the end, MiB, and processor time of an event, microseconds',
          heads: [
            'level',
            'asleep',
            'server',
            'broker',
            'listener',
            'sleeper',
            'server, us',
            'broker, us',
            'listener, us',
          ],
          rows: found.map((one) => [
            ...name(one),
            ...Object.values(one.rss).map(mib),
            ...Object.values(one.processorUs).map((us) => us.toFixed(0)),
          ]),
        },
      ],
    };
  },
};
