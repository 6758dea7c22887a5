import { connect, type NatsConnection } from 'nats';
import { startReaper } from '../../system/processes/reaper.js';
import { type BenchBroker, startBenchBroker } from '../bench/bench-broker.js';
import { makeBenchDir } from '../bench/bench-dir.js';
import { percentile } from '../bench/percentiles.js';
import { type Program, startProgram } from '../../system/processes/program.js';
import type { Report, Scenario } from '../bench/scenario.js';
import type { FlooderQuestions } from './flooder-main.js';
import { FLOOD_NAMES, type FloodName } from './kinds.js';
import { pause } from '../../system/async/pause.js';

const CALLS = 250;
const ROUNDS = 3;
const EACH_MS = 20;
const TIMEOUT_MS = 5_000;
/** The flood has begun, and what waits has grown to what it comes to. */
const BEFORE_MS = 500;

/** What another guest saw. A call that was not answered counts as long as it waited, and is counted. */
interface Seen {
  readonly samples: number[];
  unanswered: number;
}

interface Figures {
  readonly calls: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly unanswered: number;
}

/** Calls each 20 ms, whether the call before is answered or not. */
const observe = async (nc: NatsConnection, calls: number, seen: Seen): Promise<void> => {
  const begun = performance.now();
  const call = async (): Promise<void> => {
    const sentAt = performance.now();
    try {
      await nc.request('call.accounts.deposit.other', '{"amount":1}', { timeout: TIMEOUT_MS });
    } catch {
      seen.unanswered += 1;
    }
    seen.samples.push(performance.now() - sentAt);
  };
  const all: Promise<void>[] = [];
  for (let i = 0; i < calls; i++) {
    all.push(call());
    await pause(Math.max(0, begun + (i + 1) * EACH_MS - performance.now()));
  }
  await Promise.all(all);
};

const figuresOf = ({ samples, unanswered }: Seen): Figures => {
  const sorted = Float64Array.from(samples).sort();
  return {
    calls: sorted.length,
    p50Ms: percentile(sorted, 0.5),
    p99Ms: percentile(sorted, 0.99),
    unanswered,
  };
};

const IDLE = 'idle';
type Name = FloodName | typeof IDLE;

interface Round {
  readonly other: NatsConnection;
  readonly flooder: Program<FlooderQuestions>;
  readonly calls: number;
  readonly seen: ReadonlyMap<Name, Seen>;
  readonly say: (line: string) => void;
}

/** Each flood has a time without one before it: whatever else the machine does meets both. */
const runRound = async ({ other, flooder, calls, seen, say }: Round): Promise<void> => {
  const seenOf = (name: Name): Seen => seen.get(name) as Seen;
  for (const name of FLOOD_NAMES) {
    await observe(other, Math.ceil(calls / 2), seenOf(IDLE));
    await flooder.ask('start', name);
    await pause(BEFORE_MS);
    const from = performance.now();
    await observe(other, calls, seenOf(name));
    const seconds = (performance.now() - from + BEFORE_MS) / 1_000;
    const { answered, failed } = await flooder.ask('stop', null);
    say(`${name}: ${Math.round(answered / seconds)} a second answered to the flooder, ${failed} were not`);
  }
};

const twoDigits = (value: number): number => Math.round(value * 100) / 100;

const report = (seen: ReadonlyMap<Name, Seen>): Report => {
  const found = new Map([...seen].map(([name, each]) => [name, figuresOf(each)] as const));
  const idle = found.get(IDLE) as Figures;
  const ratioOf = ({ p99Ms }: Figures): number => twoDigits(p99Ms / idle.p99Ms);
  return {
    data: {
      flood: Object.fromEntries(found),
      ratios: Object.fromEntries(FLOOD_NAMES.map((name) => [name, ratioOf(found.get(name) as Figures)])),
    },
    tables: [
      {
        title: 'calls of one guest, one each 20 ms, while another guest floods the broker; milliseconds',
        heads: ['', 'p50', 'p99', 'p99 over idle', 'unanswered'],
        rows: [...found].map(([name, each]) => [
          name,
          each.p50Ms.toFixed(2),
          each.p99Ms.toFixed(2),
          ratioOf(each).toFixed(2),
          `${each.unanswered} of ${each.calls}`,
        ]),
      },
    ],
  };
};

const measure = async (
  broker: BenchBroker,
  flooder: Program<FlooderQuestions>,
  calls: number,
  rounds: number,
  say: (line: string) => void,
): Promise<Report> => {
  const other = await connect({ servers: broker.url });
  try {
    await observe(other, 50, { samples: [], unanswered: 0 });
    const seen = new Map<Name, Seen>(
      [IDLE, ...FLOOD_NAMES].map((name) => [name as Name, { samples: [], unanswered: 0 }]),
    );
    for (let round = 1; round <= rounds; round++) {
      say(`round ${round} of ${rounds}`);
      await runRound({ other, flooder, calls, seen, say });
    }
    return report(seen);
  } finally {
    await other.close();
  }
};

export const flood: Scenario = {
  name: 'flood',
  summary: "one guest's calls while another guest floods the broker, compared with the same without a flood",
  run: async ({ records: calls = CALLS, rounds = ROUNDS, say }): Promise<Report> => {
    await using dir = await makeBenchDir();
    const reaper = startReaper();
    try {
      await using broker = await startBenchBroker(dir.path, reaper);
      const main = new URL('./flooder-main.js', import.meta.url);
      await using flooder = startProgram<FlooderQuestions>(main, { url: broker.url }, reaper);
      return await measure(broker, flooder, calls, rounds, say);
    } finally {
      await reaper.close();
    }
  },
};
