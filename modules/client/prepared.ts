import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import { parseKey } from '../../schemas/command-key.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { toPayload } from '../../schemas/json.js';
import { parseName } from '../../schemas/names.js';
import type { Address } from '../../schemas/subjects.js';

/** What a call or a command asks for, as its sender gives it. */
export interface Asked {
  readonly module: string;
  readonly name: string;
  readonly agent: string | undefined;
  readonly data: unknown;
  readonly deadline?: Date | undefined;
  readonly priority?: string | undefined;
  readonly key?: string | undefined;
  readonly traceparent?: string | undefined;
  readonly tracestate?: string | undefined;
}

/** The same, checked, as it goes over the wire. */
export interface Prepared {
  readonly address: Address;
  readonly payload: Uint8Array;
  readonly headers: Readonly<Record<string, string>>;
}

/** The address that is asked for: NAME_INVALID where a part is no name. */
export const addressOf = ({
  module,
  name,
  agent,
}: Pick<Asked, 'module' | 'name' | 'agent'>): E.Either<Fault, Address> =>
  pipe(
    parseName('module', module),
    E.chain(() => parseName('action', name)),
    E.chain(() => (agent === undefined ? E.right('') : parseName('agent', agent))),
    E.map(() => ({ module, name, ...(agent === undefined ? {} : { agent }) })),
  );

const deadlineOf = (deadline: Date | undefined): E.Either<Fault, Record<string, string>> => {
  if (deadline === undefined) return E.right({});
  return Number.isNaN(deadline.getTime())
    ? E.left(fault('HEADER_INVALID', `${HEADER.deadline}: the deadline is no date`))
    : E.right({ [HEADER.deadline]: deadline.toISOString() });
};

const priorityOf = (priority: string | undefined): E.Either<Fault, Record<string, string>> => {
  if (priority === undefined) return E.right({});
  return priority === 'urgent' || priority === 'normal'
    ? E.right({ [HEADER.priority]: priority })
    : E.left(
        fault('HEADER_INVALID', `${HEADER.priority}: ${JSON.stringify(priority)} is none of urgent, normal`),
      );
};

const keyOf = (key: string | undefined): E.Either<Fault, Record<string, string>> =>
  key === undefined
    ? E.right({})
    : pipe(
        parseKey(String(key)),
        E.map((checked) => ({ [HEADER.key]: checked })),
      );

/** Of what the broker would refuse. A header that only breaks its specification has no effect there. */
const TRACE_VALUE = /^[\x20-\x7e]{0,1024}$/;

const traceOf = ({ traceparent, tracestate }: Asked): E.Either<Fault, Record<string, string>> => {
  const headers: Record<string, string> = {};
  for (const [name, value] of [
    [HEADER.trace, traceparent],
    [HEADER.traceState, tracestate],
  ] as const) {
    if (value === undefined) continue;
    if (typeof value !== 'string' || !TRACE_VALUE.test(value))
      return E.left(fault('HEADER_INVALID', `${name} is no text of at most 1,024 printable characters`));
    headers[name] = value;
  }
  return E.right(headers);
};

/**
 * Checks what is known to be wrong before anything is sent, so that a sender is never told that such a command may be
 * recorded: NAME_INVALID, HEADER_INVALID, and what {@link toPayload} says. Never throws.
 */
export const prepared = (asked: Asked): E.Either<Fault, Prepared> =>
  pipe(
    E.Do,
    E.apS('address', addressOf(asked)),
    E.apS('payload', toPayload(asked.data)),
    E.apS('deadline', deadlineOf(asked.deadline)),
    E.apS('priority', priorityOf(asked.priority)),
    E.apS('key', keyOf(asked.key)),
    E.apS('trace', traceOf(asked)),
    E.map(({ address, payload, deadline, priority, key, trace }) => ({
      address,
      payload,
      headers: { ...deadline, ...priority, ...key, ...trace },
    })),
  );
