import { join } from 'node:path';
import { isLeft } from 'fp-ts/lib/Either.js';
import { Generations } from '../../store/snapshots/generations.js';
import { ModuleAgents } from '../../store/snapshots/index.js';
import accounts from '../../modules/accounts/index.js';
import type { AnyModule } from '../../modules/sdk/module-shape.js';
import { rebuildSnapshots, stateAt } from '../../replay/index.js';
import { FaultError } from '../../schemas/errors.js';
import { makeBenchDir } from '../bench/bench-dir.js';
import { type BenchServer, startBenchServer } from '../bench/bench-server.js';
import { openProducer } from '../journal/load.js';
import { fillDeposits } from '../lookup/deposits.js';
import { agentNamed, MODULE } from '../lookup/stores/population.js';
import { percentile } from '../bench/percentiles.js';
import { measured } from '../bench/rounds.js';
import type { Report, Scenario } from '../bench/scenario.js';
import { formatNumber } from '../../text/numbers.js';

const EVENTS = 1_000_000;
const PLACES = 500;
const ROUNDS = 3;
const AGENT = agentNamed(0);
const CODE = accounts as unknown as AnyModule;

interface PastLookups {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly worstMs: number;
  readonly folded: number;
}

/** Snapshots as a module's host leaves them. */
const snapshot = async ({ nc }: BenchServer, dataDir: string): Promise<void> => {
  const rebuilt = await rebuildSnapshots({ nc, dataDir, modules: [CODE] })();
  if (isLeft(rebuilt)) throw new FaultError(rebuilt.left);
  const [module] = rebuilt.right.modules;
  const generations = new Generations(join(dataDir, 'snapshots', MODULE));
  generations.publish(generations.adopt(module?.path ?? ''));
};

/** Looks the agent up at places by chance; deposits of 1 each, so that its balance says how many had been made. */
const lookUp = async (
  { nc }: BenchServer,
  agents: ModuleAgents,
  events: number,
  places: number,
): Promise<PastLookups> => {
  const samples = new Float64Array(places);
  let folded = 0;
  const [first = 0] = agents.sequences(AGENT, 1, 1);
  for (let i = 0; i < places; i++) {
    const at = first + Math.floor(Math.random() * events * 3);
    const begun = performance.now();
    const found = await stateAt({ nc, agents, module: CODE, agent: AGENT, at })();
    samples[i] = performance.now() - begun;
    if (isLeft(found)) throw new FaultError(found.left);
    // Every third record is a result.
    const deposits = Math.floor((at - first) / 3) + 1;
    const { state, note } = found.right ?? {};
    if ((state as { balance: number } | undefined)?.balance !== deposits || note !== undefined)
      throw new Error(`the state at ${at}, of deposit ${deposits}, is ${JSON.stringify(found.right)}`);
    folded += found.right?.folded ?? 0;
  }
  samples.sort();
  return {
    p50Ms: percentile(samples, 0.5),
    p99Ms: percentile(samples, 0.99),
    worstMs: samples.at(-1) ?? Number.NaN,
    folded: folded / places,
  };
};

const twoDigits = (value: number): number => Math.round(value * 100) / 100;

export const past: Scenario = {
  name: 'past',
  summary: 'states of the past of one agent with 1,000,000 events, at places by chance',
  run: async ({ records: events = EVENTS, rounds = ROUNDS, say }): Promise<Report> => {
    await using server = await startBenchServer('os', say);
    await using dir = await makeBenchDir();
    const producer = await openProducer(server.nc, 'os');
    await fillDeposits(server.nc, producer, events, 1, say);
    await producer.close();
    await snapshot(server, dir.path);
    say('the snapshots are made');
    const agents = new ModuleAgents(MODULE, dir.path);
    const all: PastLookups[] = [];
    try {
      await lookUp(server, agents, events, 20);
      for (let round = 1; round <= rounds; round++) {
        const found = await lookUp(server, agents, events, PLACES);
        say(
          `round ${round} of ${rounds}: p50 ${found.p50Ms.toFixed(2)} ms, p99 ${found.p99Ms.toFixed(2)} ms, worst ${found.worstMs.toFixed(2)} ms, ${Math.round(found.folded)} records folded`,
        );
        all.push(found);
      }
    } finally {
      await agents.close();
    }
    const [p50, p99, worst, folded] = (['p50Ms', 'p99Ms', 'worstMs', 'folded'] as const).map((key) =>
      measured(all.map((lookups) => lookups[key])),
    );
    const ratios = { stateAtP50Ms: twoDigits(p50?.median ?? 0), stateAtP99Ms: twoDigits(p99?.median ?? 0) };
    return {
      data: {
        past: { events, records: events * 3, places: PLACES, p50Ms: p50, p99Ms: p99, worstMs: worst, folded },
        ratios,
      },
      tables: [
        {
          title: `the state of an agent with ${formatNumber(events)} events at places by chance, milliseconds`,
          heads: ['', 'median', 'lowest', 'highest'],
          rows: (
            [
              ['p50', p50],
              ['p99', p99],
              ['worst', worst],
            ] as const
          ).map(([name, values]) => [
            name,
            ...[values?.median, values?.min, values?.max].map((value) => (value ?? 0).toFixed(2)),
          ]),
        },
      ],
    };
  },
};
