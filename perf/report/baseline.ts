import { formatNumber } from '../../text/numbers.js';
import type { Measured } from '../bench/rounds.js';
import type { ReportTable } from '../bench/scenario.js';

/** A figure of two runs. */
export interface Comparison {
  /** Where it is in the data of both, such as `ipc.ways.Unix socket.throughput.small.perSecond`. */
  readonly figure: string;
  readonly before: number;
  readonly now: number;
  /** Now divided by before. */
  readonly ratio: number;
  readonly verdict: 'worse' | 'better' | 'same';
}

const isMeasured = (value: object): value is Measured =>
  'median' in value && 'min' in value && 'max' in value && 'values' in value;

/** All figures in the data of a run that have rounds, by their paths. */
export const figuresIn = (data: unknown, path: readonly string[] = []): ReadonlyMap<string, Measured> => {
  if (typeof data !== 'object' || data === null) return new Map();
  if (isMeasured(data)) return new Map([[path.join('.'), data]]);
  return new Map(Object.entries(data).flatMap(([key, value]) => [...figuresIn(value, [...path, key])]));
};

/** The name of a figure ends with its unit. Less time and less memory are better; more of everything else is. */
const LOWER_IS_BETTER = /(?:Ns|Us|Ms|Seconds|Bytes|MiB|Cores)(?:\.|$)/;
const RATE = /(?:PerSecond|perSecond)(?:\.|$)/;

/** Rounds from which the spread of a run says something. */
export const LEAST_ROUNDS = 3;
/** Below this, a difference is no finding, however small the spread of both runs was. */
const LEAST_CHANGE = 0.05;

/** Worse or better only if the two runs have no round in common, and their medians are apart. */
const compared = (figure: string, before: Measured, now: Measured): Comparison => {
  const isLowerBetter = LOWER_IS_BETTER.test(figure) && !RATE.test(figure);
  const isApart = Math.abs(now.median / before.median - 1) > LEAST_CHANGE;
  const verdict = !isApart
    ? 'same'
    : now.max < before.min
      ? isLowerBetter
        ? 'better'
        : 'worse'
      : now.min > before.max
        ? isLowerBetter
          ? 'worse'
          : 'better'
        : 'same';
  return { figure, before: before.median, now: now.median, ratio: now.median / before.median, verdict };
};

/** All figures that both runs have, with enough rounds in both. */
export const compareRuns = (before: unknown, now: unknown): readonly Comparison[] => {
  const old = figuresIn(before);
  return [...figuresIn(now)].flatMap(([figure, found]) => {
    const then = old.get(figure);
    return then === undefined || Math.min(then.values.length, found.values.length) < LEAST_ROUNDS
      ? []
      : [compared(figure, then, found)];
  });
};

export const comparisonTable = (all: readonly Comparison[]): ReportTable => ({
  title: `compared with the baseline: ${all.filter(({ verdict }) => verdict === 'worse').length} of ${all.length} figures are worse`,
  heads: ['figure', 'before', 'now', 'ratio', ''],
  rows: all.map(({ figure, before, now, ratio, verdict }) => [
    figure,
    formatNumber(before, 2),
    formatNumber(now, 2),
    ratio.toFixed(2),
    verdict,
  ]),
});
