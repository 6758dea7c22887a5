import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { Msg, NatsConnection, Subscription } from 'nats';
import { type Fault, fault, toFault } from '../../schemas/errors.js';
import { encodeJson, parseJson } from '../../schemas/json.js';

/**
 * Answers one kind of request: an object, or a fault that goes back as `{"error": …}`; undefined where the request is for
 * another broker to answer.
 */
export type Handler = (body: Readonly<Record<string, unknown>>) => TaskEither<Fault, object | undefined>;

const asObject = (value: unknown): E.Either<Fault, Readonly<Record<string, unknown>>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? E.right(value as Readonly<Record<string, unknown>>)
    : E.left(fault('PAYLOAD_INVALID', 'the request is not a JSON object', ''));

const respond = async (msg: Msg, handler: Handler | undefined): Promise<void> => {
  const body = E.chain(asObject)(parseJson(msg.data));
  const unknown = fault('ACTION_UNKNOWN', `the broker does not serve ${msg.subject}`);
  let answer: E.Either<Fault, object | undefined>;
  try {
    answer = E.isLeft(body) ? body : handler === undefined ? E.left(unknown) : await handler(body.right)();
  } catch (error) {
    answer = E.left(toFault(error));
  }
  if (E.isRight(answer) && answer.right === undefined) return;
  msg.respond(encodeJson(E.isLeft(answer) ? { error: answer.left } : answer.right));
};

/** Serves requests by their subject. One that nobody knows is told so. */
export const serveRequests = (
  nc: NatsConnection,
  subject: string,
  find: (subject: string, msg: Msg) => Handler | undefined,
): Subscription =>
  nc.subscribe(subject, {
    callback: (error, msg) => {
      if (error === null) void respond(msg, find(msg.subject, msg));
    },
  });
