import type { Durability } from '../../schemas/log.js';
import { type BenchServer, startBenchServer } from '../bench/bench-server.js';
import { findNatsCli, natsBench } from '../bench/nats-bench.js';
import { inRounds, measured } from '../bench/rounds.js';
import type { ScenarioOptions } from '../bench/scenario.js';
import { fastIngest } from './fast-ingest.js';
import { appendOne, closedLoop, DATA, type LoadRun, openProducer, SUBJECT, unlimited } from './load.js';

/** Medians over the rounds. */
export interface Level {
  /** One publish with an acknowledgement each, by the client library, without headers. */
  readonly plain: LoadRun;
  /** The journal, by number of callers; identity and fence included. */
  readonly journal: Readonly<Record<string, LoadRun>>;
  /** Records a second of `nats bench js pub`, by its forms, and of fast ingest. */
  readonly peers: Readonly<Record<string, number>>;
}

export interface Appending {
  readonly serverVersion: string;
  readonly rounds: number;
  readonly levels: Readonly<Record<Durability, Level>>;
}

const ROUNDS = 3;
const SECONDS = 1.5;
const CALLERS = [1, 10, 100, 1_000] as const;
export const UNLIMITED = 'unlimited';

/** Records of one run of a peer, so that it takes a second or two. */
const PEER_RECORDS = {
  fsync: { sync: 3_000, async: 8_000, batch: 150_000, 'fast ingest': 8_000 },
  os: { sync: 15_000, async: 250_000, batch: 200_000, 'fast ingest': 250_000 },
} as const satisfies Record<Durability, Record<string, number>>;

const plainPublish = (server: BenchServer) => async (): Promise<void> => {
  await server.nc.request(SUBJECT, DATA, { timeout: 30_000 });
};

const median = (runs: readonly LoadRun[]): LoadRun => ({
  perSecond: measured(runs.map(({ perSecond }) => perSecond)).median,
  p50Ms: measured(runs.map(({ p50Ms }) => p50Ms)).median,
  p99Ms: measured(runs.map(({ p99Ms }) => p99Ms)).median,
});

const peersOf = (durability: Durability, server: BenchServer, nats: string | undefined, scale: number) => {
  const records = PEER_RECORDS[durability];
  const scaled = (count: number): number => Math.max(1_000, Math.round(count * scale));
  const bench = (form: 'sync' | 'async' | 'batch', more: readonly string[] = []) => ({
    name: `nats bench js pub ${form}`,
    run: () =>
      natsBench(nats as string, server.url, [
        ...['js', 'pub', form, '--stream', 'LOG', '--size', String(DATA.length)],
        ...['--msgs', String(scaled(records[form])), ...more, 'evt.bench.peer'],
      ]),
  });
  return [
    ...(nats === undefined ? [] : [bench('sync'), bench('async'), bench('batch', ['--batch', '1000'])]),
    { name: 'fast ingest', run: () => fastIngest(server.nc, scaled(records['fast ingest'])) },
  ];
};

const measureLevel = async (
  durability: Durability,
  nats: string | undefined,
  { rounds = ROUNDS, records, say }: ScenarioOptions,
): Promise<readonly [Level, string]> => {
  await using server = await startBenchServer(durability, say);
  // `--records` makes it short for a try; the full figures come of seconds.
  const scale = records === undefined ? 1 : Math.min(1, records / PEER_RECORDS.os.async);
  const seconds = SECONDS * scale;
  const producer = await openProducer(server.nc, durability);
  const runs = new Map<string, LoadRun[]>();
  const load = (name: string, run: () => Promise<LoadRun>) => ({
    name: `${durability}, ${name}`,
    run: async () => {
      const result = await run();
      runs.set(name, [...(runs.get(name) ?? []), result]);
      return result.perSecond;
    },
  });
  const peers = peersOf(durability, server, nats, scale);
  const rates = await inRounds(
    [
      load('plain', () => closedLoop(1, seconds, plainPublish(server))),
      ...CALLERS.map((callers) =>
        load(String(callers), () => closedLoop(callers, seconds, appendOne(producer))),
      ),
      load(UNLIMITED, () => unlimited(producer, seconds)),
      ...peers,
    ],
    rounds,
    say,
  );
  await producer.close();
  const of = (name: string): LoadRun => median(runs.get(name) ?? []);
  const level = {
    plain: of('plain'),
    journal: Object.fromEntries([...CALLERS.map(String), UNLIMITED].map((name) => [name, of(name)])),
    peers: Object.fromEntries(peers.map(({ name }) => [name, rates.get(name)?.median ?? Number.NaN])),
  };
  return [level, server.version];
};

/** Appends under both durability levels, compared with plain publishes and with `nats bench` on the same server. */
export const measureAppending = async (options: ScenarioOptions): Promise<Appending> => {
  const nats = await findNatsCli(options.say);
  const [fsync, serverVersion] = await measureLevel('fsync', nats, options);
  const [os] = await measureLevel('os', nats, options);
  return { serverVersion, rounds: options.rounds ?? ROUNDS, levels: { fsync, os } };
};
