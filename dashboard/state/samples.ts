import type { BrokerStatus, ModuleStats } from '../../schemas/operate.js';
import { CALL_BUCKETS_MS } from '../../schemas/call-latency.js';

/** What the broker says at one time. */
export interface BrokerSample {
  readonly atMs: number;
  readonly status: BrokerStatus;
  readonly stats: readonly ModuleStats[];
}

/** Two minutes, at a sample each two seconds. */
const KEPT = 60;

let samples: readonly BrokerSample[] = [];

/** They outlive the view that shows them, so that its lines do not begin again. */
export const samplesNow = (): readonly BrokerSample[] => samples;

export const addSample = (sample: BrokerSample): readonly BrokerSample[] => {
  const last = samples.at(-1);
  // Another broker, or one that started again: its counts begin again.
  const isSame = last !== undefined && last.status.pid === sample.status.pid;
  samples = [...(isSame ? samples : []), sample].slice(-KEPT);
  return samples;
};

const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0);

const countOf = ({ stats }: BrokerSample, module: string | undefined, what: 'commands' | 'errors'): number =>
  sum(
    stats
      .filter(({ name }) => module === undefined || name === module)
      .flatMap(({ actions }) => actions.map((action) => action[what])),
  );

/** A count per second between each sample and the one before; a module that was loaded again begins again. */
const perSecond = (
  all: readonly BrokerSample[],
  count: (sample: BrokerSample) => number,
): readonly number[] =>
  all.slice(1).map((sample, i) => {
    const before = all[i] as BrokerSample;
    const seconds = Math.max(0.001, (sample.atMs - before.atMs) / 1_000);
    return Math.max(0, count(sample) - count(before)) / seconds;
  });

export const commandsPerSecond = (all: readonly BrokerSample[], module?: string): readonly number[] =>
  perSecond(all, (sample) => countOf(sample, module, 'commands'));

export const recordsPerSecond = (all: readonly BrokerSample[]): readonly number[] =>
  perSecond(all, ({ status }) => status.log.lastSeq);

export const errorsPerSecond = (all: readonly BrokerSample[]): readonly number[] =>
  perSecond(all, (sample) => countOf(sample, undefined, 'errors'));

export const lagOf = (all: readonly BrokerSample[], module?: string): readonly number[] =>
  all.map(({ status }) =>
    sum(status.modules.filter(({ name }) => module === undefined || name === module).map(({ lag }) => lag)),
  );

const bucketsOf = ({ stats }: BrokerSample): readonly number[] => {
  const total = Array.from({ length: CALL_BUCKETS_MS.length + 1 }, () => 0);
  for (const { actions } of stats)
    for (const { waits = [] } of actions)
      waits.forEach((count, i) => {
        total[i] = (total[i] ?? 0) + count;
      });
  return total;
};

/**
 * How long calls took between the first and the last sample: the largest value of the bucket that has the quantile,
 * milliseconds. Undefined: there was no call.
 */
export const callQuantile = (all: readonly BrokerSample[], quantile: number): number | undefined => {
  const [first, last] = [all[0], all.at(-1)];
  if (first === undefined || last === undefined) return undefined;
  const before = bucketsOf(first);
  const counts = bucketsOf(last).map((count, i) => Math.max(0, count - (before[i] ?? 0)));
  const wanted = sum(counts) * quantile;
  if (wanted === 0) return undefined;
  let seen = 0;
  const place = counts.findIndex((count) => {
    seen += count;
    return seen >= wanted;
  });
  return CALL_BUCKETS_MS[place] ?? Number.POSITIVE_INFINITY;
};
