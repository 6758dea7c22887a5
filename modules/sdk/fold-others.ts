import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { agentNameAt, type DeliveredEvent } from '../../schemas/delivered-event.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { entryFor, type Folded } from '../../schemas/folded-events.js';
import { Payload } from '../../schemas/payload.js';
import { splitSubject } from '../../schemas/subjects.js';
import type { Check } from '../../schemas/validate.js';
import type { Foldable, ReadFoldable } from './foldable.js';
import { compileWhole } from './own-check.js';

type Folds = Readonly<Record<string, Folded>>;

const NOTHING: Foldable = { agent: '', events: [] };

/**
 * How the events of others are read into the states of a read model: each becomes an event by the name of the entry
 * that folds it. FOLD_FAILED, where the data do not fit the schema of the entry.
 */
export const compileFolds = (module: string, folds: Folds): ReadFoldable => {
  const checks = new Map<string, Check<unknown>>(
    Object.entries(folds).map(([entry, { data }]) => [
      entry,
      compileWhole(data, 'FOLD_FAILED', `data of ${entry}`),
    ]),
  );
  return ({ subject, seq, time, data: bytes }): Either<Fault, Foldable | undefined> => {
    const parts = splitSubject(subject);
    if (parts?.kind !== 'evt') return right(undefined);
    const event = `${parts.module}.${parts.name}`;
    const entry = entryFor(folds, event);
    if (entry === undefined) return right(undefined);
    const checked = (checks.get(entry) as Check<unknown>)(new Payload(bytes).value);
    if (isLeft(checked)) {
      const text = `${module} cannot fold ${event}: ${checked.left.message}`;
      return left(fault('FOLD_FAILED', text, checked.left.path));
    }
    const data = checked.right;
    const { agent: place, to } = folds[entry] as Folded;
    const named = place === undefined ? (parts.agent ?? '') : agentNameAt(data, place);
    const agent = to === 'module' ? '' : named;
    // It names no agent, so it changes none.
    if (agent === undefined) return right(NOTHING);
    const delivered: DeliveredEvent = { event, agent: parts.agent ?? null, seq, time, data };
    return right({ agent, events: [{ name: entry, data: delivered }] });
  };
};
