import * as E from 'fp-ts/lib/Either.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { type KeptOperation, MAX_KEPT } from '../../schemas/restart.js';
import { clip } from '../../text/printable.js';
import type { PastHandler, PastOperation } from './past-handler.js';

/** Operations that a text names. */
const NAMED = 20;

const listed = ({ operations }: PastHandler): string => {
  const all = [...operations.values()].sort((a, b) => a.n - b.n);
  if (all.length === 0) return 'it made none';
  const shown = all.slice(0, NAMED).map(({ n, what }) => `${n} ${clip(what, 64)}`);
  const more = all.length > NAMED ? `, and ${all.length - NAMED} more` : '';
  return `it made ${shown.join(', ')}${more}`;
};

/** The number that a request means: of an operation that the handler made, or the one behind its last. STEP_UNKNOWN. */
export const operationNumber = (
  command: number,
  past: PastHandler,
  from: number | string,
): E.Either<Fault, number> => {
  const unknown = (why: string): E.Either<Fault, never> => E.left(fault('STEP_UNKNOWN', why));
  const handler = `the handler of command ${command}`;
  if (typeof from === 'number')
    return from <= past.last + 1
      ? E.right(from)
      : unknown(`${handler} has no operation ${from}: ${listed(past)}`);
  const named = [...past.operations.values()].filter(({ names }) => names.includes(from)).map(({ n }) => n);
  const [only, ...others] = named.sort((a, b) => a - b);
  const name = JSON.stringify(clip(from, 128));
  if (only === undefined) return unknown(`${handler} has no operation ${name}: ${listed(past)}`);
  return others.length === 0
    ? E.right(only)
    : unknown(`${handler} made ${name} as ${named.slice(0, NAMED).join(', ')}: give the number`);
};

/** What is kept of a handler that begins to act at a number. */
export interface KeptPrefix {
  readonly kept: readonly KeptOperation[];
  readonly digests: readonly string[];
}

/** The operations before a number: each must have ended, and the cancel must not have been met. RESTART_REFUSED. */
export const prefixOf = (command: number, past: PastHandler, from: number): E.Either<Fault, KeptPrefix> => {
  const refused = (why: string): E.Either<Fault, never> =>
    E.left(fault('RESTART_REFUSED', `command ${command} cannot be restarted from ${from}: ${why}`));
  if (from - 1 > MAX_KEPT)
    return refused(`it would keep ${from - 1} operations, and ${MAX_KEPT} are the most`);
  if (past.metAt !== undefined && past.metAt < from)
    return refused(`the handler met its cancel at ${past.metAt}. What it did from there on undid the rest`);
  const kept: KeptOperation[] = [];
  const digests: string[] = [];
  for (let n = 1; n < from; n++) {
    const operation: PastOperation | undefined = past.operations.get(n);
    if (operation === undefined) return refused(`the log does not have operation ${n}: it had not ended`);
    const { kind, seq, end, digest, what } = operation;
    if (end === undefined) return refused(`operation ${n}, ${clip(what, 128)}, has not ended`);
    kept.push({ kind, seq, end });
    digests.push(digest);
  }
  return E.right({ kept, digests });
};
