import * as E from 'fp-ts/lib/Either.js';
import type { Msg, NatsConnection } from 'nats';
import { type Fault, fault } from '../../schemas/errors.js';

/** The most bytes of a reply's headers, besides its body. */
const HEADER_BYTES = 4_096;
const DEFAULT_MAX_PAYLOAD = 1_048_576;

/** Bytes that an answer may have: what the server passes on, less its headers. */
export const answerBytes = (nc: NatsConnection): number =>
  (nc.info?.max_payload ?? DEFAULT_MAX_PAYLOAD) - HEADER_BYTES;

const encoder = new TextEncoder();

/** Answers that were written to see whether they fit. */
const written = new WeakMap<object, Uint8Array>();

/**
 * The only encoder of answers. It throws for nothing: ANSWER_TOO_LARGE where the answer is above what the server
 * passes on, INTERNAL where it is no JSON (nested deeper than the stack, a circle).
 */
export const encodeAnswer = (value: unknown, maxBytes: number): E.Either<Fault, Uint8Array> => {
  try {
    const body = encoder.encode(JSON.stringify(value));
    return body.length <= maxBytes
      ? E.right(body)
      : E.left(
          fault(
            'ANSWER_TOO_LARGE',
            `the answer has ${body.length} bytes, and the server passes ${maxBytes} on; ask for a part of it`,
          ),
        );
  } catch (error) {
    return E.left(fault('INTERNAL', `the answer cannot be written as JSON: ${(error as Error).message}`));
  }
};

/** The whole of an answer where it fits in one message, else what is left when that which may be long is left out. */
export const fitting = <T extends object>(nc: NatsConnection, whole: T, short: () => T): T => {
  const encoded = encodeAnswer(whole, answerBytes(nc));
  if (E.isLeft(encoded)) return short();
  written.set(whole, encoded.right);
  return whole;
};

const MAX_TEXT = 4_096;

/** What a refusal says may be of a sender's making: it is cut, so that the refusal itself always fits. */
export const shortened = (problem: Fault): Fault => {
  const { message, path, ...rest } = problem;
  const fits = message.length <= MAX_TEXT && (path ?? '').length <= MAX_TEXT;
  if (fits) return problem;
  return {
    ...rest,
    message: message.length > MAX_TEXT ? `${message.slice(0, MAX_TEXT - 1)}…` : message,
    // A path is whole or not there: cut, it would name another place.
    ...(path === undefined || path.length > MAX_TEXT ? {} : { path }),
  };
};

/** Answers a request with a value, or with the fault that it has none, as `{"error": …}`. */
export const answer = (nc: NatsConnection, msg: Msg, outcome: E.Either<Fault, object>): void => {
  const encoded = E.chain((value: object) => {
    const body = written.get(value);
    return body === undefined ? encodeAnswer(value, answerBytes(nc)) : E.right(body);
  })(outcome);
  const body = E.isRight(encoded)
    ? encoded.right
    : encoder.encode(JSON.stringify({ error: shortened(encoded.left) }));
  msg.respond(body);
};
