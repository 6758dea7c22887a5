import { inRounds, type Measured, measured } from '../bench/rounds.js';
import type { ScenarioOptions } from '../bench/scenario.js';
import { type HeldStore, withHeld } from './held-stores.js';
import { findPeers } from './peers.js';
import { LOOKUP_PEERS, type LookupPeer } from './stores/store.js';
import { STORES, type StoreName } from './stores/store.js';
import type { Timed } from './stores/timing.js';

/** Lookups in one store under one condition, over the rounds. */
export interface Lookups {
  readonly p50Us: Measured;
  readonly p99Us: Measured;
  /** Lookups that were timed, by round. */
  readonly gets: readonly number[];
  /** What the writer reached; null where none wrote. */
  readonly writerPerSecond: Measured | null;
}

export interface StoreLookups {
  /** While another process changes states. */
  readonly writing: Lookups;
  readonly atRest: Lookups;
}

export interface Population {
  readonly agents: number;
  /** Of the timing itself, which is in every figure. */
  readonly timingP50Us: number;
  /** null for a peer that was left out. */
  readonly stores: Readonly<Record<StoreName, StoreLookups | null>>;
}

export interface Gets {
  readonly rounds: number;
  /** What a writer is asked to reach. */
  readonly eventsPerSecond: number;
  /** Versions of the peers; null for one that was left out. */
  readonly peers: Readonly<Record<LookupPeer, string | null>>;
  readonly populations: readonly Population[];
}

interface LookupRun extends Timed {
  readonly writerPerSecond: number;
}

const AGENTS = [10_000, 1_000_000] as const;
const ROUNDS = 5;
const SECONDS = 2;
const EVENTS_PER_SECOND = 50_000;

const lookupsOf = (runs: readonly LookupRun[], isWriting: boolean): Lookups => ({
  p50Us: measured(runs.map(({ p50Us }) => p50Us)),
  p99Us: measured(runs.map(({ p99Us }) => p99Us)),
  gets: runs.map(({ gets }) => gets),
  writerPerSecond: isWriting ? measured(runs.map(({ writerPerSecond }) => writerPerSecond)) : null,
});

/** Lookups while the other process changes states; after the last change, the reader must find it. */
const whileWriting = async ({ store, reader, writer }: HeldStore, look: LookOptions): Promise<LookupRun> => {
  const { agents, seed } = look;
  await writer.ask('write', { agents, perSecond: EVENTS_PER_SECOND, seed: seed + 1_000 });
  const timed = await reader.ask('time', look);
  const { perSecond, last } = await writer.ask('stop', null);
  const found = await reader.ask('get', last.agent);
  if (found === null || found.seq < last.seq)
    throw new Error(`${store}: ${last.agent} stands at ${last.seq}, a reader finds ${found?.seq}`);
  return { ...timed, writerPerSecond: perSecond };
};

interface LookOptions {
  readonly agents: number;
  readonly seconds: number;
  readonly gets: number;
  readonly seed: number;
}

const measurePopulation = async (
  agents: number,
  held: readonly HeldStore[],
  { rounds = ROUNDS, records = Number.MAX_SAFE_INTEGER, say }: ScenarioOptions,
): Promise<Population> => {
  const runs = new Map<string, LookupRun[]>();
  const contender = (name: string, run: (look: LookOptions) => Promise<LookupRun>) => ({
    name,
    run: async () => {
      const done = runs.get(name) ?? [];
      // The same agents for all of a round.
      const result = await run({ agents, seconds: SECONDS, gets: records, seed: done.length + 1 });
      runs.set(name, [...done, result]);
      return result.p50Us;
    },
  });
  const names = (store: StoreName) => ({
    writing: `${store}, with a writer`,
    atRest: `${store}, at rest`,
  });
  await inRounds(
    held.flatMap((each) => [
      contender(names(each.store).writing, (look) => whileWriting(each, look)),
      contender(names(each.store).atRest, async (look) => ({
        ...(await each.reader.ask('time', look)),
        writerPerSecond: 0,
      })),
    ]),
    rounds,
    say,
    (p50Us) => `p50 ${p50Us.toFixed(2)} us`,
  );
  const ofStore = (store: StoreName): StoreLookups | null => {
    const [writing, atRest] = [runs.get(names(store).writing), runs.get(names(store).atRest)];
    if (writing === undefined || atRest === undefined) return null;
    return { writing: lookupsOf(writing, true), atRest: lookupsOf(atRest, false) };
  };
  const timing = await held[0]?.reader.ask('nothing', null);
  return {
    agents,
    timingP50Us: timing?.p50Us ?? Number.NaN,
    stores: Object.fromEntries(STORES.map((store) => [store, ofStore(store)])) as Population['stores'],
  };
};

/** Looks agents up from another process than the one that writes them, in every store in turns. */
export const measureGets = async (options: ScenarioOptions): Promise<Gets> => {
  const { agents = AGENTS, rounds = ROUNDS, say } = options;
  const peers = await findPeers(options.peers, say);
  const populations: Population[] = [];
  let versions = new Map<StoreName, string | undefined>();
  for (const count of agents) {
    await withHeld(count, peers, say, async (held) => {
      versions = new Map(held.map(({ store, version }) => [store, version]));
      populations.push(await measurePopulation(count, held, options));
    });
  }
  return {
    rounds,
    eventsPerSecond: EVENTS_PER_SECOND,
    peers: Object.fromEntries(
      LOOKUP_PEERS.map((peer) => [peer, versions.get(peer) ?? null]),
    ) as Gets['peers'],
    populations,
  };
};
