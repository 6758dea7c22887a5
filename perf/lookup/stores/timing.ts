import { percentile } from '../../bench/percentiles.js';
import { type FoundState, isWhole } from './population.js';

/** What a run of lookups, one after the other, came to. Every lookup is timed by itself. */
export interface Timed {
  readonly gets: number;
  readonly p50Us: number;
  readonly p99Us: number;
}

export interface Limits {
  readonly seconds: number;
  readonly gets: number;
}

/** What a reader does between two turns of its event loop, where lookups take no turn themselves. */
export const GETS_PER_TURN = 32;
/** Of memory for samples: 32 MB. */
const MOST_GETS = 4_000_000;
const WARM_UP: Limits = { seconds: 0.2, gets: 20_000 };

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

class Samples {
  readonly #us: Float64Array;
  readonly #until: number;
  #count = 0;

  constructor({ seconds, gets }: Limits) {
    this.#us = new Float64Array(Math.min(gets, MOST_GETS));
    this.#until = performance.now() + seconds * 1_000;
  }

  /** Whether there is room, and time, for more. */
  add(from: number, to: number): boolean {
    this.#us[this.#count++] = (to - from) * 1_000;
    return this.#count < this.#us.length && to < this.#until;
  }

  summary(): Timed {
    const sorted = this.#us.subarray(0, this.#count).sort();
    return { gets: this.#count, p50Us: percentile(sorted, 0.5), p99Us: percentile(sorted, 0.99) };
  }
}

const check = (agent: string, found: FoundState | undefined): void => {
  if (!isWhole(found)) throw new Error(`looking up ${agent} gave ${JSON.stringify(found)}`);
};

export type SyncGet = (agent: string) => FoundState | undefined;
export type AsyncGet = (agent: string) => Promise<FoundState | undefined>;

const timeSync = async (get: SyncGet, next: () => string, limits: Limits): Promise<Timed> => {
  const samples = new Samples(limits);
  for (let goesOn = true; goesOn; await nextTurn()) {
    for (let i = 0; i < GETS_PER_TURN && goesOn; i++) {
      const agent = next();
      const from = performance.now();
      const found = get(agent);
      goesOn = samples.add(from, performance.now());
      check(agent, found);
    }
  }
  return samples.summary();
};

const timeAsync = async (get: AsyncGet, next: () => string, limits: Limits): Promise<Timed> => {
  const samples = new Samples(limits);
  for (let goesOn = true; goesOn; ) {
    const agent = next();
    const from = performance.now();
    const found = await get(agent);
    goesOn = samples.add(from, performance.now());
    check(agent, found);
  }
  return samples.summary();
};

/** After a short run that warms up and is not counted. */
export const timeLookups = async (
  get: { readonly sync: SyncGet } | { readonly async: AsyncGet },
  next: () => string,
  limits: Limits,
): Promise<Timed> => {
  const time = (within: Limits): Promise<Timed> =>
    'sync' in get ? timeSync(get.sync, next, within) : timeAsync(get.async, next, within);
  await time(WARM_UP);
  return time(limits);
};

const SOMETHING: FoundState = { seq: 1, time: '', schema: 1, state: { balance: 1 } };

/** What timing itself costs: lookups that look nothing up. */
export const timeNothing = (next: () => string): Promise<Timed> =>
  timeLookups({ sync: () => SOMETHING }, next, { seconds: 1, gets: 1_000_000 });
