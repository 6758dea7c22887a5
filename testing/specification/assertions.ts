import assert from 'node:assert/strict';
import { type Either, isLeft, isRight } from 'fp-ts/lib/Either.js';
import type { CompiledModule } from '../../modules/sdk/compiled-module.js';
import type { Rejection, Send } from '../../modules/sdk/module-shape.js';
import type { AnyDecision, AnyEvent } from '../../modules/sdk/checked-outcome.js';
import { throughJson } from './plain.js';
import type { ScriptedCall } from './scripted-calls.js';
import { foldChecked } from './subject.js';

interface Expectation {
  readonly data?: unknown;
  readonly events?: readonly AnyEvent[];
  readonly commands?: readonly unknown[];
  readonly state?: unknown;
}

/** What a handler, or the check before it, made of a command. */
export type DecisionOrRejection = Either<Rejection, AnyDecision>;

/** Fails unless the outcome is a decision, and the one expected; values are compared as JSON carries them. */
export const assertOutcome = (
  subject: CompiledModule,
  before: unknown,
  outcome: DecisionOrRejection,
  expected: Expectation,
): void => {
  if (isLeft(outcome)) assert.fail(`rejected, ${outcome.left.code}: ${outcome.left.message}`);
  const { data, events = [], commands = [] } = outcome.right;
  if (expected.data !== undefined)
    assert.deepStrictEqual(throughJson(data), expected.data, 'the data differ');
  assert.deepStrictEqual(throughJson(events), expected.events ?? [], 'the events differ');
  assert.deepStrictEqual(throughJson(commands), expected.commands ?? [], 'the commands differ');
  const after = foldChecked(subject, before, events);
  if (expected.state !== undefined) assert.deepStrictEqual(after, expected.state, 'the state differs');
};

/** Fails unless the outcome is a rejection with that code. */
export const assertRejected = (outcome: DecisionOrRejection, code: string): void => {
  if (isRight(outcome)) {
    assert.fail(`decided instead of rejected with ${code}: ${JSON.stringify(outcome.right)}`);
  }
  assert.equal(outcome.left.code, code, outcome.left.message);
};

/** Fails unless a handler made these calls, in this order. */
export const assertCalls = (recorded: readonly ScriptedCall[], expected: readonly Send[]): void =>
  assert.deepStrictEqual(
    recorded.map(({ call }) => call),
    throughJson(expected),
    'the calls differ',
  );
