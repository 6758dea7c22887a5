import type { ReportTable } from '../bench/scenario.js';
import { GETS_PER_TURN } from './stores/timing.js';
import { type Gets, type Lookups, measureGets, type Population } from './gets.js';
import type { LookupPart, RatioName, Ratios } from './part.js';
import { STORES, type StoreName } from './stores/store.js';
import { formatNumber } from '../../text/numbers.js';

const LABELS: Readonly<Record<StoreName, string>> = {
  snapshots: 'agents.get',
  nats: 'NATS request',
  redis: 'Redis GET',
  sqlite: 'SQLite SELECT',
};

const p50Of = (population: Population | undefined, store: StoreName): number | undefined =>
  population?.stores[store]?.writing.p50Us.median;

/** Without what was not measured. */
const known = (figures: Readonly<Partial<Record<RatioName, number | undefined>>>): Ratios =>
  Object.fromEntries(
    Object.entries(figures)
      .filter(([, figure]) => Number.isFinite(figure))
      .map(([name, figure]) => [name, Math.round((figure as number) * 1_000) / 1_000]),
  );

/** Peers are compared at the smaller number of agents, all with a writer at the same time. */
export const ratiosOf = (populations: readonly Population[]): Ratios => {
  const of = (agents: number) => populations.find((population) => population.agents === agents);
  const [small, large] = [of(10_000), of(1_000_000)];
  const get = p50Of(small, 'snapshots');
  const over = (store: StoreName): number => (p50Of(small, store) ?? Number.NaN) / (get ?? Number.NaN);
  return known({
    getP50Us10k: get,
    getP99Us10k: small?.stores.snapshots?.writing.p99Us.median,
    getP50Us1m: p50Of(large, 'snapshots'),
    getP99Us1m: large?.stores.snapshots?.writing.p99Us.median,
    natsRequestP50Us: p50Of(small, 'nats'),
    redisGetP50Us: p50Of(small, 'redis'),
    sqliteGetP50Us: p50Of(small, 'sqlite'),
    natsRequestOverGetP50: over('nats'),
    redisGetOverGetP50: over('redis'),
    sqliteGetOverGetP50: over('sqlite'),
  });
};

const us = (value: number): string => value.toFixed(2);

const cells = ({ p50Us, p99Us }: Lookups): readonly string[] => [us(p50Us.median), us(p99Us.median)];

const rowOf = (store: StoreName, peers: Gets['peers'], population: Population): readonly string[] => {
  const lookups = population.stores[store];
  if (lookups === null) return [LABELS[store], 'left out'];
  const { writing, atRest } = lookups;
  const ours = p50Of(population, 'snapshots');
  return [
    store === 'snapshots' ? LABELS[store] : `${LABELS[store]} (${peers[store]})`,
    ...cells(writing),
    `${us(writing.p50Us.min)}–${us(writing.p50Us.max)}`,
    ours === undefined ? '' : `${(writing.p50Us.median / ours).toFixed(1)}×`,
    formatNumber(writing.writerPerSecond?.median ?? Number.NaN),
    ...cells(atRest),
  ];
};

const tableOf = ({ peers, eventsPerSecond, rounds }: Gets, population: Population): ReportTable => ({
  title:
    `looking up 1 of ${formatNumber(population.agents)} agents, microseconds, ${rounds} rounds; ` +
    `at the same time a writer requested ${formatNumber(eventsPerSecond)} events/s; ` +
    `${us(population.timingP50Us)} of each is the timing`,
  heads: ['', 'p50', 'p99', 'p50 of rounds', 'p50 over ours', 'written/s', 'p50 at rest', 'p99 at rest'],
  rows: STORES.map((store) => rowOf(store, peers, population)),
});

export const gets: LookupPart = {
  name: 'gets',
  run: async (options) => {
    const found = await measureGets(options);
    return {
      data: { ...found, getsPerTurn: GETS_PER_TURN },
      tables: found.populations.map((population) => tableOf(found, population)),
      ratios: ratiosOf(found.populations),
    };
  },
};
