import fc from 'fast-check';
import { turned } from './turned.js';

/** A call that the fixture `planner` makes. */
export interface Step {
  readonly module: string;
  readonly action: string;
  readonly agent: string;
  readonly data: unknown;
}

/** The host refuses such a payload before it becomes a call: it takes no number. */
const TOO_LARGE = 'x'.repeat(990_000);

/** Those of the steps that become calls. */
export const callsIn = (steps: readonly Step[]): readonly Step[] =>
  steps.filter(({ data }) => data !== TOO_LARGE);

/** What a change of code makes of the calls of a handler. */
const CHANGES = {
  nothing: (steps: readonly Step[]) => steps,
  'order of keys': (steps: readonly Step[]) => steps.map((each) => ({ ...each, data: turned(each.data) })),
  'one payload': (steps: readonly Step[], i: number, other: Step) =>
    steps.with(i, { ...(steps[i] as Step), data: other.data }),
  'one agent': (steps: readonly Step[], i: number, other: Step) =>
    steps.with(i, { ...(steps[i] as Step), agent: other.agent }),
  'one call': (steps: readonly Step[], i: number, other: Step) => steps.with(i, other),
  'too large a payload': (steps: readonly Step[], i: number) =>
    steps.with(i, { ...(steps[i] as Step), data: TOO_LARGE }),
  order: (steps: readonly Step[]) => steps.toReversed(),
  'fewer at the end': (steps: readonly Step[]) => steps.slice(0, -1),
  'fewer at the beginning': (steps: readonly Step[]) => steps.slice(1),
  none: () => [],
  'more at the end': (steps: readonly Step[], _i: number, other: Step) => [...steps, other],
  'more before': (steps: readonly Step[], i: number, other: Step) => steps.toSpliced(i, 0, other),
};

export type CallChange = keyof typeof CHANGES;
export const CALL_CHANGES = Object.keys(CHANGES) as readonly CallChange[];

/** The calls of a handler before and after its code was changed. */
export interface ChangedCalls {
  readonly change: CallChange;
  readonly before: readonly Step[];
  readonly after: readonly Step[];
  readonly atOnce: boolean;
}

export const changedCalls = (
  step: fc.Arbitrary<Step>,
  changes: readonly CallChange[],
): fc.Arbitrary<ChangedCalls> =>
  fc
    .record({
      before: fc.array(step, { minLength: 1, maxLength: 4 }),
      change: fc.constantFrom(...changes),
      at: fc.nat(),
      other: step,
      atOnce: fc.boolean(),
    })
    .map(({ before, change, at, other, atOnce }) => ({
      change,
      before,
      after: CHANGES[change](before, at % before.length, other),
      atOnce,
    }));

const keyed = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(keyed)
    : typeof value === 'object' && value !== null
      ? Object.entries(value)
          .map(([key, each]) => [key, keyed(each)] as const)
          .sort(([a], [b]) => (a < b ? -1 : 1))
      : value;

/** Whether two calls ask for the same: the order of keys is no difference. */
export const saysTheSame = (a: Step, b: Step | undefined): boolean =>
  JSON.stringify(keyed(JSON.parse(JSON.stringify(a)))) ===
  JSON.stringify(keyed(b === undefined ? null : JSON.parse(JSON.stringify(b))));
