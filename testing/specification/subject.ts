import assert from 'node:assert/strict';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { Fault } from '../../schemas/errors.js';
import { mayHandle } from '../../modules/sdk/may-call.js';
import type { CompiledModule } from '../../modules/sdk/compiled-module.js';
import type { Command, Rejection } from '../../modules/sdk/module-shape.js';
import {
  type AnyDecision,
  type AnyEvent,
  checkDecision,
  checkRejection,
} from '../../modules/sdk/checked-outcome.js';
import { assertPlainJson, frozen } from './plain.js';

export const must = <T>(checked: Either<Fault, T>, what: string): T => {
  if (isLeft(checked)) assert.fail(`${what}: ${checked.left.code}: ${checked.left.message}`);
  return checked.right;
};

/** Folds events as the host does; every event must fit its schema, every state must be what a snapshot can hold. */
export const foldChecked = (
  { module, checks }: CompiledModule,
  start: unknown,
  events: readonly AnyEvent[],
): unknown =>
  events.reduce((state, { name, data }) => {
    must(checks.event(name)(data), 'an event does not fit');
    const evolve = module.evolve[name];
    if (evolve === undefined) assert.fail(`the module has no fold for event ${name}`);
    const next = evolve(state, frozen(data));
    assertPlainJson(next, `the state after ${name}`);
    return frozen(next);
  }, frozen(start));

/** The command as its handler would see it, or why it would never get there. */
export const admitted = (
  { module: { manifest }, checks }: CompiledModule,
  action: string,
  command: Command,
): Either<Rejection, Command> => {
  const { agent, sender, data } = command;
  const checked = mayHandle(manifest, checks, { action, agent, sender, data });
  return isLeft(checked) ? left(checked.left) : right({ ...command, data: frozen(data) });
};

/** Fails when the host would not record the outcome: production would answer OUTCOME_INVALID. */
export const assertRecordable = (
  { module: { manifest }, checks }: CompiledModule,
  action: string,
  outcome: Either<Rejection, AnyDecision>,
): void => {
  const checked = isLeft(outcome)
    ? checkRejection(manifest, action, outcome.left)
    : checkDecision(manifest, checks, action, outcome.right);
  must(checked, 'the outcome cannot be recorded');
};
