import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { Msg, NatsConnection } from 'nats';
import { type Fault, FaultError, fault } from '../../schemas/errors.js';
import { parseJson } from '../../schemas/json.js';
import { answer } from './answer.js';
import type { Entrance } from './entrance.js';
import { type Listening, sayFailed, serve } from './serve.js';

/** The JSON object of a request; `maxBytes` of the connection is the limit of its size, MAX_DEPTH that of its depth. */
export type Body = Readonly<Record<string, unknown>>;

/** Hears how work ended that was not done when its request was answered. */
export type LateEnd = (ended: E.Either<Fault, object>) => void;

/**
 * Answers one kind of request: an object, or a fault that goes back as `{"error": …}`; undefined where the request is
 * for another broker to answer.
 */
export type Handler = (body: Body, late?: LateEnd) => TaskEither<Fault, object | undefined>;

const asObject = (value: unknown): E.Either<Fault, Body> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? E.right(value as Body)
    : E.left(fault('PAYLOAD_INVALID', 'the request is not a JSON object', ''));

const outcomeOf = async (
  msg: Msg,
  handler: Handler | undefined,
): Promise<E.Either<Fault, object | undefined>> => {
  if (handler === undefined)
    return E.left(fault('ACTION_UNKNOWN', `the broker does not serve ${msg.subject}`));
  const body = E.chain(asObject)(parseJson(msg.data));
  if (E.isLeft(body)) return body;
  try {
    return await handler(body.right)();
  } catch (error) {
    if (error instanceof FaultError) return E.left(error.fault);
    throw error;
  }
};

/** Serves requests by their subject, with JSON in and JSON out. An unknown request gets an error. */
export const serveRequests = (
  nc: NatsConnection,
  subject: string,
  find: (subject: string, msg: Msg) => Handler | undefined,
  entrance?: Entrance,
): Listening =>
  serve({
    nc,
    subject,
    ...(entrance === undefined ? {} : { entrance }),
    handle: async (msg) => {
      const outcome = await outcomeOf(msg, find(msg.subject, msg));
      if (E.isLeft(outcome)) {
        entrance?.refused?.(msg, outcome.left);
        if (outcome.left.code === 'INTERNAL') sayFailed(msg, outcome.left.message);
        return answer(nc, msg, outcome);
      }
      if (outcome.right !== undefined) answer(nc, msg, E.right(outcome.right));
    },
    refuse: (msg, problem) => answer(nc, msg, E.left(problem)),
  });
