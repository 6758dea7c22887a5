import { formatNumber } from '../../text/numbers.js';

/** A number of the ADR, and what became of it. */
export interface AdrNumber {
  readonly part: string;
  readonly what: string;
  readonly asked: string;
  /** Empty: it was not measured. */
  readonly measured: string;
  readonly verdict: 'met' | 'not met' | 'by construction' | 'not measured' | 'does not apply';
  readonly why: string;
  /** How many times better than asked it is; below 1 it is not met. Where both are numbers above 0. */
  readonly margin?: number;
}

type Row = Omit<AdrNumber, 'part'>;

const marginOf = (better: number, worse: number): Pick<Row, 'margin'> =>
  better > 0 && worse > 0 && Number.isFinite(better / worse) ? { margin: better / worse } : {};

/** Asked to be at most so much; undefined: this run did not measure it. */
export const atMost = (
  what: string,
  limit: number,
  value: number | undefined,
  unit: string,
  why = '',
): Row => {
  const asked = `at most ${formatNumber(limit)} ${unit}`;
  if (value === undefined) return { what, asked, measured: '', verdict: 'not measured', why };
  return {
    what,
    asked,
    measured: `${formatNumber(value, value < 10 ? 2 : 0)} ${unit}`,
    verdict: value <= limit ? 'met' : 'not met',
    why,
    ...marginOf(limit, value),
  };
};

/** Asked to be at least so much; undefined: this run did not measure it. */
export const atLeast = (
  what: string,
  least: number,
  value: number | undefined,
  unit: string,
  why = '',
): Row => {
  const asked = `at least ${formatNumber(least)} ${unit}`;
  if (value === undefined) return { what, asked, measured: '', verdict: 'not measured', why };
  return {
    what,
    asked,
    measured: `${formatNumber(value)} ${unit}`,
    verdict: value >= least ? 'met' : 'not met',
    why,
    ...marginOf(value, least),
  };
};

const stated =
  (verdict: AdrNumber['verdict']) =>
  (what: string, asked: string, why: string): Row => ({ what, asked, measured: '', verdict, why });

export const byConstruction = stated('by construction');
export const notMeasured = stated('not measured');
export const doesNotApply = stated('does not apply');

export const inPart = (part: string, rows: readonly Row[]): readonly AdrNumber[] =>
  rows.map((row) => ({ part, ...row }));
