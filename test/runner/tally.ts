import type { TestOutcome } from './outcomes-reporter.js';

export interface Tally {
  readonly tests: number;
  readonly suites: number;
  readonly pass: number;
  readonly fail: number;
  readonly cancelled: number;
  readonly skipped: number;
  /** Skipped for what the machine lacks. */
  readonly impossible: number;
  readonly todo: number;
}

const ZERO: Tally = {
  tests: 0,
  suites: 0,
  pass: 0,
  fail: 0,
  cancelled: 0,
  skipped: 0,
  impossible: 0,
  todo: 0,
};

const add = (tally: Tally, { kind, suite }: TestOutcome): Tally =>
  suite
    ? { ...tally, suites: tally.suites + 1 }
    : { ...tally, tests: tally.tests + 1, [kind]: tally[kind] + 1 };

export const tallyOf = (outcomes: readonly TestOutcome[]): Tally => outcomes.reduce(add, ZERO);

/**
 * Nothing skipped counts as done: a test that does not run guards nothing. What the machine cannot do is told at the end of
 * the run, by test and reason, and fails nobody's run who has no such machine.
 */
export const isGreen = ({ tests, pass, impossible }: Tally): boolean =>
  tests > 0 && pass + impossible === tests;

/** The closing lines of node's own `spec` reporter. */
export const closingLines = ({ impossible, ...tally }: Tally, durationMs: number): string =>
  [
    ...Object.entries({ ...tally, skipped: tally.skipped + impossible }),
    ['duration_ms', Math.round(durationMs)],
  ]
    .map(([name, count]) => `ℹ ${name} ${count}\n`)
    .join('');
