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
}

type Row = Omit<AdrNumber, 'part'>;

/** Measured, and asked to be at most so much. */
export const atMost = (what: string, limit: number, value: number, unit: string, why = ''): Row => ({
  what,
  asked: `at most ${formatNumber(limit)} ${unit}`,
  measured: `${formatNumber(value, value < 10 ? 2 : 0)} ${unit}`,
  verdict: value <= limit ? 'met' : 'not met',
  why,
});

export const atLeast = (what: string, least: number, value: number, unit: string, why = ''): Row => ({
  what,
  asked: `at least ${formatNumber(least)} ${unit}`,
  measured: `${formatNumber(value)} ${unit}`,
  verdict: value >= least ? 'met' : 'not met',
  why,
});

const stated =
  (verdict: AdrNumber['verdict']) =>
  (what: string, asked: string, why: string): Row => ({ what, asked, measured: '', verdict, why });

export const byConstruction = stated('by construction');
export const notMeasured = stated('not measured');
export const doesNotApply = stated('does not apply');

export const inPart = (part: string, rows: readonly Row[]): readonly AdrNumber[] =>
  rows.map((row) => ({ part, ...row }));
