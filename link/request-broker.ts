import { isClientError } from './client-error.js';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { Msg, MsgHdrs, NatsConnection } from 'nats';
import { linkedRequest } from './linked-request.js';
import { neverSent } from './never-sent.js';
import { isNobody, untilServed } from './until-served.js';
import { COMMAND_WORDS, type TargetWords } from './target-words.js';
import { isErrorCode } from '../schemas/error-table.js';
import { type Fault, fault } from '../schemas/errors.js';

const DEFAULT_TIMEOUT_MS = 5_000;

/** Why a request has no reply, in kinds that a caller can act on. */
export type Silence = 'timeout' | 'no-broker' | 'forbidden' | 'lost';

export const silenceOf = (thrown: unknown): Silence => {
  const cause = isClientError(thrown, 'RequestError') ? (thrown.cause ?? thrown) : thrown;
  if (isClientError(thrown, 'TimeoutError') || isClientError(cause, 'TimeoutError')) return 'timeout';
  if (isNobody(cause) || isNobody(thrown)) return 'no-broker';
  return isClientError(cause, 'PermissionViolationError') ? 'forbidden' : 'lost';
};

const silenceFault = (silence: Silence, nc: NatsConnection, timeoutMs: number, words: TargetWords): Fault => {
  const where = nc.getServer();
  switch (silence) {
    case 'timeout':
      return fault('BROKER_UNREACHABLE', `the broker at ${where} did not answer within ${timeoutMs} ms`);
    case 'no-broker':
      return fault(
        'BROKER_UNREACHABLE',
        `a NATS server answers at ${where}, but no broker: start one with ${words.start}`,
      );
    case 'forbidden':
      return fault(
        'SERVER_REFUSED',
        `${where} allows that only to the operator; name the data directory with ${words.data}, or a credential with ${words.creds}`,
      );
    case 'lost':
      return fault('BROKER_UNREACHABLE', `the connection to ${where} was lost`);
  }
};

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/**
 * The fault of an `{"error": …}` reply. A code that this version does not know becomes INTERNAL, with the same
 * message.
 */
const replyFault = (error: Readonly<Record<string, unknown>>): Fault => {
  const { code, message, path } = error;
  const words = typeof message === 'string' ? message : 'the broker gave no reason';
  if (typeof code !== 'string' || !isErrorCode(code)) return fault('INTERNAL', `${String(code)}: ${words}`);
  return fault(code, words, typeof path === 'string' ? path : undefined);
};

const parseReply = <T>(reply: Msg): Either<Fault, T> => {
  let value: unknown;
  try {
    value = reply.json();
  } catch {
    return left(fault('INTERNAL', `the reply to ${reply.subject} is not JSON`));
  }
  if (isRecord(value) && isRecord(value.error)) return left(replyFault(value.error));
  return right(value as T);
};

/** A request to the broker, as it is sent. */
interface BrokerRequest {
  readonly subject: string;
  readonly payload: string;
  readonly headers?: MsgHdrs;
  readonly timeoutMs: number;
  readonly words: TargetWords;
}

/** Sends a request. Returns the reply's JSON, the fault in it, or the reason why there is no reply. */
export const sendRequest =
  <T>(
    nc: NatsConnection,
    { subject, payload, headers, timeoutMs, words }: BrokerRequest,
  ): TaskEither<Fault, T> =>
  async () => {
    try {
      const options = { timeout: timeoutMs, ...(headers === undefined ? {} : { headers }) };
      return parseReply<T>(await untilServed(() => linkedRequest(nc, subject, payload, options)));
    } catch (thrown) {
      const unsent = neverSent(thrown, nc);
      if (unsent !== undefined) return left(unsent);
      return left(silenceFault(silenceOf(thrown), nc, timeoutMs, words));
    }
  };

/** Sends a request on `ops.…`, of a JSON object; see {@link sendRequest}. */
export const ask = <T>(
  nc: NatsConnection,
  subject: string,
  body: Readonly<Record<string, unknown>> = {},
  timeoutMs = DEFAULT_TIMEOUT_MS,
  words = COMMAND_WORDS,
): TaskEither<Fault, T> => sendRequest<T>(nc, { subject, payload: JSON.stringify(body), timeoutMs, words });
