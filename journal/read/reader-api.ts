import { isClientError } from '../../link/client-error.js';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { Msg, NatsConnection } from 'nats';
import { type Fault, fault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { linkedRequest } from '../../link/linked-request.js';
import { isNobody } from '../../link/until-served.js';
import { headerOf } from '../../link/message-headers.js';
import { type ApiError, JETSTREAM_ERROR } from '../../link/jetstream-error.js';

/** Where reading asks: the connection and the prefix of its JetStream API. */
export interface LogApi {
  readonly nc: NatsConnection;
  readonly prefix: string;
}

/** Why a request has no answer to use. */
export type ApiFailure =
  /** No reply in time, or the connection was lost: may work later. */
  | { readonly kind: 'silent'; readonly fault: Fault }
  /** It will not work for this connection: no right, no JetStream, connection closed. */
  | { readonly kind: 'refused'; readonly fault: Fault }
  /** JetStream said no. */
  | { readonly kind: 'error'; readonly code: number; readonly fault: Fault };

export interface LogEnds {
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Identity of the log: what was made from another one is of no use. */
  readonly logId: string;
}

export interface ReadConsumer {
  readonly name: string;
  /** The consumer's next record comes after this sequence. */
  readonly after: number;
  /** Records that match and are in the log already. */
  readonly pending: number;
  /** What to pull by where the broker passes pulls on; undefined: the JetStream API. See PULL_CONSUMER. */
  readonly pullBy: string | undefined;
}

export const STREAM = 'LOG';
/** Finding where filters begin in a large log takes seconds. */
const CREATE_TIMEOUT_MS = 10_000;
const TIMEOUT_MS = 5_000;

interface ErrorBody {
  readonly error?: ApiError;
}

const failure = (thrown: unknown, subject: string): ApiFailure => {
  const cause = isClientError(thrown, 'RequestError') ? thrown.cause : thrown;
  if (isClientError(cause, 'PermissionViolationError')) {
    return { kind: 'refused', fault: fault('SERVER_REFUSED', `no right to request ${subject}`) };
  }
  if (isNobody(thrown)) {
    return {
      kind: 'refused',
      fault: fault('LOG_UNAVAILABLE', `JetStream does not serve ${subject} to this account`),
    };
  }
  if (isClientError(thrown, 'ClosedConnectionError', 'DrainingConnectionError')) {
    return { kind: 'refused', fault: fault('LOG_UNAVAILABLE', 'the connection to the server is closed') };
  }
  const reason = thrown instanceof Error ? thrown.message : String(thrown);
  return { kind: 'silent', fault: fault('LOG_UNAVAILABLE', `the log does not answer: ${reason}`) };
};

/** An answer, and the message that it came in. */
const exchange = async <T>(
  { nc, prefix }: LogApi,
  operation: string,
  body: object | undefined,
  timeout = TIMEOUT_MS,
): Promise<Either<ApiFailure, { readonly answer: T; readonly reply: Msg }>> => {
  const subject = `${prefix}.${operation}`;
  try {
    const reply = await linkedRequest(nc, subject, body === undefined ? '' : JSON.stringify(body), {
      timeout,
    });
    const answer = reply.json<T & ErrorBody>();
    if (answer.error === undefined) return right({ answer, reply });
    const message = `${operation}: ${answer.error.description ?? 'refused'}`;
    return left({
      kind: 'error',
      code: answer.error.err_code ?? 0,
      fault: fault('LOG_UNAVAILABLE', message),
    });
  } catch (thrown) {
    return left(failure(thrown, subject));
  }
};

const request = async <T>(
  api: LogApi,
  operation: string,
  body: object | undefined,
): Promise<Either<ApiFailure, T>> => {
  const found = await exchange<T>(api, operation, body);
  return isLeft(found) ? found : right(found.right.answer);
};

export const isStreamMissing = (f: ApiFailure): boolean =>
  f.kind === 'error' && f.code === JETSTREAM_ERROR.streamNotFound;

/** First and last sequence of the log; 0 and 0 of one that never held a record. */
export const logEnds = async (api: LogApi): Promise<Either<ApiFailure, LogEnds>> => {
  const info = await request<{ created: string; state: { first_seq: number; last_seq: number } }>(
    api,
    `STREAM.INFO.${STREAM}`,
    undefined,
  );
  if (isLeft(info)) return info;
  const { created, state } = info.right;
  return right({ firstSeq: state.first_seq, lastSeq: state.last_seq, logId: created });
};

/** Makes a consumer in memory, which the server removes when it is not pulled. */
export const createConsumer = async (
  api: LogApi,
  name: string,
  config: object,
): Promise<Either<ApiFailure, ReadConsumer>> => {
  const made = await exchange<{ delivered: { stream_seq: number }; num_pending: number }>(
    api,
    `CONSUMER.CREATE.${STREAM}.${name}`,
    { stream_name: STREAM, config: { name, ...config }, action: 'create' },
    CREATE_TIMEOUT_MS,
  );
  if (isLeft(made)) return made;
  const { answer, reply } = made.right;
  const pullBy = headerOf(reply, HEADER.pullBy);
  return right({ name, after: answer.delivered.stream_seq, pending: answer.num_pending, pullBy });
};

/** Removes a consumer; one that cannot be reached goes by itself. */
export const deleteConsumer = (api: LogApi, name: string): void => {
  if (!api.nc.isClosed() && !api.nc.isDraining())
    void request(api, `CONSUMER.DELETE.${STREAM}.${name}`, undefined);
};

/** The first record that was stored at a time or later; undefined when there is none. */
export const firstSince = async (
  api: LogApi,
  time: Date,
): Promise<Either<ApiFailure, number | undefined>> => {
  const found = await request<{ message: { seq: number } }>(api, `STREAM.MSG.GET.${STREAM}`, {
    start_time: time.toISOString(),
  });
  if (!isLeft(found)) return right(found.right.message.seq);
  return found.left.kind === 'error' && found.left.code === JETSTREAM_ERROR.noMessageFound
    ? right(undefined)
    : found;
};

/**
 * The lowest sequence from `seq` on that matches one of the filters, or undefined when there is none. This reads the
 * store itself: the count of pending records is kept up by the server as it goes and is a hint.
 */
export const nextMatch = async (
  api: LogApi,
  filters: readonly string[],
  seq: number,
): Promise<Either<ApiFailure, number | undefined>> => {
  let lowest: number | undefined;
  for (const filter of filters.length === 0 ? ['>'] : filters) {
    const found = await request<{ message: { seq: number } }>(api, `STREAM.MSG.GET.${STREAM}`, {
      seq,
      next_by_subj: filter,
    });
    if (!isLeft(found)) lowest = Math.min(lowest ?? Number.POSITIVE_INFINITY, found.right.message.seq);
    else if (found.left.kind !== 'error' || found.left.code !== JETSTREAM_ERROR.noMessageFound) return found;
  }
  return right(lowest);
};

/**
 * The highest sequence that matches one of the filters, or undefined when there is none: the server keeps it by
 * subject.
 */
export const lastMatch = async (
  api: LogApi,
  filters: readonly string[],
): Promise<Either<ApiFailure, number | undefined>> => {
  let highest: number | undefined;
  for (const filter of filters.length === 0 ? ['>'] : filters) {
    const found = await request<{ message: { seq: number } }>(api, `STREAM.MSG.GET.${STREAM}`, {
      last_by_subj: filter,
    });
    if (!isLeft(found)) highest = Math.max(highest ?? 0, found.right.message.seq);
    else if (found.left.kind !== 'error' || found.left.code !== JETSTREAM_ERROR.noMessageFound) return found;
  }
  return right(highest);
};
