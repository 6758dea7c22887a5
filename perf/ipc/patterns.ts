import { join } from 'node:path';
import { connect, type NatsConnection } from 'nats';
import { readLogBatches } from '../../journal/index.js';
import { pause } from '../../system/async/pause.js';
import { startReaper } from '../../system/processes/reaper.js';
import { formatNumber } from '../../text/numbers.js';
import { startBenchBroker } from '../bench/bench-broker.js';
import { writeBenchModule } from '../bench/bench-module.js';
import { makeBenchDir } from '../bench/bench-dir.js';
import { connectOperator } from '../burst/connect-operator.js';
import { logEnd } from '../burst/log-end.js';
import { RELAY } from './relay-module.js';

interface AgentMessage {
  readonly action: string;
  readonly agent: string;
  readonly data: object;
}

interface Pattern {
  /** Messages between agents; the commands that begin them do not count, where they are no messages themselves. */
  readonly messages: number;
  /** Programs that send at the same time, and what each of them sends. */
  readonly programs: readonly (readonly AgentMessage[])[];
}

export interface Size {
  readonly agents: number;
  /** Of each agent. */
  readonly messages: number;
}

export const SIZES: readonly Size[] = [
  { agents: 10, messages: 1_000 },
  { agents: 50, messages: 100 },
  { agents: 1_000, messages: 10 },
];

/** More connections would measure the server's connections. */
const MOST_PROGRAMS = 50;
const TEXT = 'x'.repeat(200);
const agentAt = (i: number): string => `a${i}`;
const list = <T>(count: number, make: (i: number) => T): readonly T[] =>
  Array.from({ length: count }, (_, i) => make(i));

const PATTERNS = {
  'fan-out': ({ agents, messages }) => ({
    messages: agents * messages,
    programs: [
      list(agents * messages, (i) => ({ action: 'take', agent: agentAt(i % agents), data: { text: TEXT } })),
    ],
  }),
  'fan-in': ({ agents, messages }) => {
    const programs = Math.min(agents, MOST_PROGRAMS);
    const one = { action: 'take', agent: 'hub', data: { text: TEXT } };
    return {
      messages: agents * messages,
      programs: list(programs, () => list((agents * messages) / programs, () => one)),
    };
  },
  pipeline: ({ agents, messages }) => ({
    messages: agents * messages,
    programs: [
      list(messages, (i) => {
        const [first = '', ...path] = list(agents, (j) => agentAt((i + j) % agents));
        return { action: 'pass', agent: first, data: { text: TEXT, path } };
      }),
    ],
  }),
  broadcast: ({ agents, messages }) => ({
    messages: agents * messages,
    programs: [
      list(messages, () => ({
        action: 'spread',
        agent: 'hub',
        data: { text: TEXT, to: list(agents, agentAt) },
      })),
    ],
  }),
  'all-to-all': ({ agents, messages }) => {
    const each = Math.min(agents, messages);
    const to = (from: number): readonly string[] => list(each, (j) => agentAt((from + j) % agents));
    return {
      messages: agents * messages,
      programs: [
        list((agents * messages) / each, (i) => ({
          action: 'spread',
          agent: agentAt(i % agents),
          data: { text: TEXT, to: to(i % agents) },
        })),
      ],
    };
  },
} as const satisfies Record<string, (size: Size) => Pattern>;
export type PatternName = keyof typeof PATTERNS;
export const PATTERN_NAMES = Object.keys(PATTERNS) as readonly PatternName[];

export interface PatternFigures {
  readonly messages: number;
  /** From the first command of the pattern to its last result, by the server's times in the log. */
  readonly perSecond: number;
}

/** Commands of one program that are not stored yet. */
const IN_FLIGHT = 100;
const TIMEOUT_MS = 60_000;
const LOOK_MS = 200;
/** A log that did not grow for so long does not grow any more. */
const STILL_MS = 15_000;

const sendAll = async (nc: NatsConnection, asked: readonly AgentMessage[]): Promise<void> => {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let one = asked[next++]; one !== undefined; one = asked[next++]) {
      const subject = `cmd.relay.${one.action}.${one.agent}`;
      const reply = await nc.request(subject, JSON.stringify(one.data), { timeout: TIMEOUT_MS });
      if (!reply.string().includes('"seq"')) throw new Error(reply.string().slice(0, 300));
    }
  };
  await Promise.all(list(Math.min(IN_FLIGHT, asked.length), lane));
};

/** Commands and results from a place on, and the times of the first command and of the last result. */
const resultsFrom = async (operator: NatsConnection, fromSeq: number) => {
  let [commands, results, firstMs, lastMs] = [0, 0, Number.NaN, Number.NaN];
  for await (const batch of readLogBatches(operator, { fromSeq, headersOnly: true }))
    for (const { subject, timeMs } of batch) {
      if (subject.startsWith('cmd.relay.')) {
        if (commands++ === 0) firstMs = timeMs;
      } else if (subject.startsWith('res.relay.')) {
        results += 1;
        lastMs = timeMs;
      }
    }
  return { commands, results, ms: lastMs - firstMs };
};

const runPattern = async (
  { messages, programs }: Pattern,
  operator: NatsConnection,
  connections: readonly NatsConnection[],
): Promise<PatternFigures> => {
  const from = (await logEnd(operator)) + 1;
  await Promise.all(programs.map((asked, i) => sendAll(connections[i] as NatsConnection, asked)));
  let [end, at] = [await logEnd(operator), performance.now()];
  for (;;) {
    await pause(LOOK_MS);
    const now = await logEnd(operator);
    if (now > end) [end, at] = [now, performance.now()];
    if (performance.now() - at < 1_000) continue;
    const { commands, results, ms } = await resultsFrom(operator, from);
    if (results === commands && results >= messages) return { messages, perSecond: (messages * 1_000) / ms };
    if (performance.now() - at > STILL_MS)
      throw new Error(`${results} of ${commands} commands have a result`);
  }
};

/** Runs each pattern once at each size, durably. */
export const measurePatterns = async (
  scale: number,
  say: (line: string) => void,
): Promise<Readonly<Record<number, Readonly<Record<PatternName, PatternFigures>>>>> => {
  const reaper = startReaper();
  try {
    await using dir = await makeBenchDir();
    const data = join(dir.path, 'data');
    await using broker = await startBenchBroker(data, reaper, 'os', [
      ...['--no-shipped', '--module', writeBenchModule(dir.path, RELAY)],
    ]);
    const operator = await connectOperator(data);
    const connections = await Promise.all(list(MOST_PROGRAMS, () => connect({ servers: broker.url })));
    const found: Record<number, Record<PatternName, PatternFigures>> = {};
    for (const { agents, messages } of SIZES) {
      const size = { agents, messages: Math.max(1, Math.round(messages * scale)) };
      const row: Partial<Record<PatternName, PatternFigures>> = {};
      for (const name of PATTERN_NAMES) {
        row[name] = await runPattern(PATTERNS[name](size), operator, connections);
        say(`${agents} agents, ${name}: ${formatNumber(row[name].perSecond)}/s`);
      }
      found[agents] = row as Record<PatternName, PatternFigures>;
    }
    await Promise.all([operator, ...connections].map((nc) => nc.close()));
    return found;
  } finally {
    await reaper.close();
  }
};
