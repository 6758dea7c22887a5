import * as E from 'fp-ts/lib/Either.js';
import { pipe } from 'fp-ts/lib/function.js';
import type { FastifyRequest } from 'fastify';
import { parseKey } from '../../schemas/command-key.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { parseSequence } from '../../schemas/identity.js';
import { parseDuration } from '../../schemas/quantity.js';

const KEY = 'idempotency-key';
/** Headers of HTTP that a command has in the log under the same name. */
const SAME = [HEADER.deadline, HEADER.priority, HEADER.conversation, HEADER.trace, HEADER.traceState].map(
  (name) => ({ name, http: name.toLowerCase() }),
);

const DEFAULT_WAIT_MS = 30_000;
const MOST_WAIT_MS = 600_000;

const one = <T extends string | undefined>(value: T | string[], name: string): E.Either<Fault, T> =>
  Array.isArray(value) ? E.left(fault('HTTP_INVALID', `${name} is there more than once`)) : E.right(value);

/** The header `Idempotency-Key`. The draft of the IETF has it in quotes; without them it is the same key. */
const keyOf = (request: FastifyRequest): E.Either<Fault, Readonly<Record<string, string>>> => {
  const text = one(request.headers[KEY], 'Idempotency-Key');
  if (E.isLeft(text)) return text;
  if (text.right === undefined) return E.right({});
  return pipe(
    parseKey(/^".*"$/.test(text.right) ? text.right.slice(1, -1) : text.right),
    E.map((key) => ({ [HEADER.key]: key })),
  );
};

/** The headers of a command, from those of its request. */
export const commandHeaders = (
  request: FastifyRequest,
): E.Either<Fault, Readonly<Record<string, string>>> => {
  const key = keyOf(request);
  if (E.isLeft(key)) return key;
  const headers: Record<string, string> = { ...key.right };
  for (const { name, http } of SAME) {
    const found = request.headers[http];
    if (found === undefined) continue;
    const value = one(found, name);
    if (E.isLeft(value)) return value;
    headers[name] = value.right;
  }
  return E.right(headers);
};

const queryOf = (request: FastifyRequest, name: string): E.Either<Fault, string | undefined> =>
  one((request.query as Record<string, string | string[]>)[name], `the query parameter ${name}`);

/** `?wait=30s`: how long the client waits for a result, milliseconds. */
export const waitOf = (request: FastifyRequest): E.Either<Fault, number> => {
  const text = queryOf(request, 'wait');
  if (E.isRight(text) && text.right === undefined) return E.right(DEFAULT_WAIT_MS);
  return pipe(
    text,
    E.chain((asked) => parseDuration(asked ?? '')),
    E.filterOrElse(
      (ms) => ms <= MOST_WAIT_MS,
      () => fault('HTTP_INVALID', `the query parameter wait is above ${MOST_WAIT_MS / 60_000}m`),
    ),
    E.mapLeft(({ message }) => fault('HTTP_INVALID', `wait: ${message}`)),
  );
};

/** `?atLeast=SEQ`: the state must have all results up to there; 0 without it. */
export const atLeastOf = (request: FastifyRequest): E.Either<Fault, number> =>
  pipe(
    queryOf(request, 'atLeast'),
    E.chain((text) => (text === undefined ? E.right(0) : sequenceIn(text))),
  );

export const sequenceIn = (text: string): E.Either<Fault, number> => {
  const seq = parseSequence(text);
  return seq === undefined
    ? E.left(fault('HTTP_INVALID', `${JSON.stringify(text.slice(0, 64))} is no sequence of a record`))
    : E.right(seq);
};
