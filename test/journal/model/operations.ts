import fc from 'fast-check';
import { CALL_CHANGES, type ChangedCalls, changedCalls, type Step } from '../../support/changed-calls.js';
import { resultText } from '../../support/json-text.js';
import { EDITIONS } from './editions.js';

/** What a run does, one after the other, while what it began before goes on. */
export type Operation =
  | { readonly do: 'append'; readonly producer: 0 | 1; readonly count: number; readonly bytes: number }
  | {
      readonly do: 'deposit' | 'withdraw';
      readonly agent: Agent;
      readonly count: number;
      readonly amount: number;
    }
  | { readonly do: 'transfer'; readonly agent: Agent; readonly to: Agent; readonly amount: number }
  /** A module in another language decides so, and is killed before it stores a copy. */
  | { readonly do: 'decide'; readonly agent: Agent; readonly text: string }
  /** Commands to a module that comes and goes. */
  | { readonly do: 'tell'; readonly count: number }
  | { readonly do: 'load' | 'unload' | 'remove' }
  /** Another broker on the same directory and log. In peace: modules finish what they handle; else they are killed. */
  | { readonly do: 'restart broker'; readonly inPeace: boolean }
  /** kill -9, and a start behind it. */
  | { readonly do: 'kill server' }
  | { readonly do: 'kill module' }
  /** Other code of the same version, which folds the log again at its next start: kill -9 before and behind it. */
  | { readonly do: 'change code' }
  /** Reloads the module while calls come. `code`: an edition of {@link EDITIONS}, and `at` which of its kind. */
  | { readonly do: 'reload'; readonly code: string; readonly at: number }
  /** A handler whose calls change between two runs: kill -9 once the log has so many calls of it. */
  | { readonly do: 'follow'; readonly calls: ChangedCalls; readonly recorded: number }
  /** SIGSTOP for so long: what was sent is not acknowledged in time, and done all the same. */
  | { readonly do: 'stop server'; readonly ms: number }
  | { readonly do: 'stop module'; readonly ms: number }
  | { readonly do: 'cut'; readonly link: 'producers' | 'module' }
  /** Another process takes a producer's name over while the old one goes on. */
  | { readonly do: 'replace'; readonly producer: 0 | 1 }
  /** The log has room for so many bytes more. */
  | { readonly do: 'fill'; readonly bytes: number }
  | { readonly do: 'make room' }
  /** Somebody begins as many batches as the server takes: it refuses each further one. */
  | { readonly do: 'hold batches' }
  | { readonly do: 'end batches' }
  | { readonly do: 'wait'; readonly ms: number }
  /** Waits until all appends are settled. */
  | { readonly do: 'settle' };

export const AGENTS = ['ann', 'bob', 'cem'] as const;
export type Agent = (typeof AGENTS)[number];

const agent = fc.constantFrom(...AGENTS);
const producer = fc.constantFrom(0 as const, 1 as const);
const amount = fc.integer({ min: 1, max: 50 });

/** Subjects that a result of `raw` names: events that its manifest declares, and what is never stored for it. */
const subject = fc.oneof(
  fc.stringMatching(/^evt\.raw\.added(\.[a-z]{1,4})?$/),
  fc.constantFrom('evt.accounts.deposited.eve', 'evt.raw.>', 'evt.raw.a b', 'evt.rawer.a'),
);

const one = (
  name: Operation['do'],
  fields: Record<string, fc.Arbitrary<unknown>> = {},
): fc.Arbitrary<Operation> => fc.record({ do: fc.constant(name), ...fields }) as fc.Arbitrary<Operation>;

/** One step after the other: what a module was must have come to something before it changes again. */
const life = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: one('tell', { count: fc.integer({ min: 1, max: 10 }) }) },
    { weight: 3, arbitrary: one('unload') },
    { weight: 2, arbitrary: one('load') },
    { weight: 2, arbitrary: one('remove') },
    { weight: 1, arbitrary: one('restart broker', { inPeace: fc.boolean() }) },
  ),
  { minLength: 3, maxLength: 7 },
);

/** A call of a handler to accounts, of a kind that the bank reckons with. */
const step: fc.Arbitrary<Step> = fc.record({
  module: fc.constant('accounts'),
  action: fc.constantFrom('deposit', 'withdraw'),
  agent,
  data: fc.record({ amount }),
});
// A megabyte in each line that shows a run helps nobody, and the faults' test has it.
const changes = CALL_CHANGES.filter((each) => each !== 'too large a payload');

const weighted: readonly (readonly [number, fc.Arbitrary<Operation>])[] = [
  [
    10,
    one('append', {
      producer,
      count: fc.integer({ min: 1, max: 60 }),
      bytes: fc.integer({ min: 0, max: 2_000 }),
    }),
  ],
  // More than the server's queue takes at once: some are answered 429.
  [3, one('append', { producer, count: fc.integer({ min: 300, max: 1_500 }), bytes: fc.constant(20) })],
  // Above the limit of a record.
  [1, one('append', { producer, count: fc.integer({ min: 1, max: 3 }), bytes: fc.constant(1_100_000) })],
  [5, one('deposit', { agent, count: fc.integer({ min: 1, max: 30 }), amount })],
  [3, one('withdraw', { agent, count: fc.integer({ min: 1, max: 10 }), amount })],
  [3, one('transfer', { agent, to: agent, amount })],
  [3, one('decide', { agent, text: resultText(subject).map(({ text }) => text) })],
  [2, one('kill server')],
  [2, one('kill module')],
  [1, one('change code')],
  [1, one('reload', { code: fc.constant('good'), at: fc.constant(0) })],
  [1, one('reload', { code: fc.constantFrom(...EDITIONS.keys()), at: fc.nat(1_000) })],
  [2, one('follow', { calls: changedCalls(step, changes), recorded: fc.integer({ min: 1, max: 4 }) })],
  [2, one('stop server', { ms: fc.integer({ min: 20, max: 450 }) })],
  [1, one('stop module', { ms: fc.integer({ min: 20, max: 300 }) })],
  [3, one('cut', { link: fc.constantFrom('producers', 'module') })],
  [2, one('replace', { producer })],
  [1, one('fill', { bytes: fc.integer({ min: 0, max: 60_000 }) })],
  [1, one('make room')],
  [2, one('hold batches')],
  [1, one('end batches')],
  [4, one('wait', { ms: fc.integer({ min: 0, max: 40 }) })],
  [3, one('settle')],
];

export const operations: fc.Arbitrary<readonly Operation[]> = fc
  .array(
    fc.oneof(
      ...weighted.map(([weight, arbitrary]) => ({ weight, arbitrary: arbitrary.map((each) => [each]) })),
      { weight: 3, arbitrary: life },
    ),
    { minLength: 2, maxLength: 14 },
  )
  .map((each) => each.flat());
