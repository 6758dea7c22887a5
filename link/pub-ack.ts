import type { Msg } from 'nats';
import * as E from 'fp-ts/lib/Either.js';
import { headersOf } from './message-headers.js';
import { type ErrorCode, type Fault, fault } from '../schemas/errors.js';
import { JETSTREAM_ERROR } from './jetstream-error.js';

// Each of them says for certain that the record was not stored.
const CODES: Readonly<Record<number, ErrorCode>> = {
  // The fence.
  [JETSTREAM_ERROR.wrongLastSequence]: 'EPOCH_LOST',
  [JETSTREAM_ERROR.wrongLastSequenceConstant]: 'EPOCH_LOST',
  [JETSTREAM_ERROR.streamStoreFailed]: 'LOG_FULL',
  [JETSTREAM_ERROR.storageResourcesExceeded]: 'LOG_FULL',
  [JETSTREAM_ERROR.messageExceedsMaximum]: 'PAYLOAD_TOO_LARGE',
  [JETSTREAM_ERROR.headerExceedsMaximum]: 'HEADERS_TOO_LARGE',
  [JETSTREAM_ERROR.tooManyRequests]: 'OVERLOADED',
  [JETSTREAM_ERROR.incompleteBatch]: 'OVERLOADED',
  [JETSTREAM_ERROR.tooManyBatches]: 'OVERLOADED',
};

interface Reply {
  readonly seq?: number;
  /** Records of the batch that was committed. */
  readonly count?: number;
  /** Of the server; or of the broker, whose codes are words. */
  readonly error?:
    | { readonly code: number; readonly err_code?: number; readonly description: string }
    | Fault;
}

/** What was stored: the sequence of the last record, and how many there are, one behind the other. */
export interface PubAck {
  readonly seq: number;
  readonly count: number;
}

/** Reads the answer to a publish: where what was sent is stored, or why nothing of it was. */
export const parsePubAck = (msg: Msg): E.Either<Fault, PubAck> => {
  if (msg.data.length === 0) {
    // A status without a body: 503, nobody takes this subject.
    return E.left(
      fault('LOG_UNAVAILABLE', `no stream takes ${headersOf(msg).description || 'this subject'}`),
    );
  }
  const reply = JSON.parse(msg.string()) as Reply;
  if (reply.error !== undefined) {
    if ('message' in reply.error) return E.left(reply.error);
    const { code, err_code = 0, description } = reply.error;
    return E.left(
      fault(
        CODES[err_code] ?? (code === 429 ? 'OVERLOADED' : 'LOG_UNAVAILABLE'),
        `the server refused a record: ${description} (${err_code})`,
      ),
    );
  }
  if (reply.seq === undefined || reply.seq < 1) {
    return E.left(
      fault('LOG_UNAVAILABLE', `the server answered a publish with ${msg.string().slice(0, 200)}`),
    );
  }
  return E.right({ seq: reply.seq, count: reply.count ?? 1 });
};

/**
 * The answer of a broker that stores what others send. Codes of {@link endsEpoch} say that the log is to be asked: nobody took
 * the record, or whoever did cannot say what became of it.
 */
export const parseServedAck = (msg: Msg): E.Either<Fault, PubAck> =>
  msg.data.length === 0
    ? E.left(fault('BROKER_UNREACHABLE', 'nobody takes commands: is the broker running?'))
    : parsePubAck(msg);

const ENDING: ReadonlySet<ErrorCode> = new Set(['BROKER_UNREACHABLE', 'EPOCH_CLOSED', 'LOG_UNCERTAIN']);

export const endsEpoch = ({ code }: Fault): boolean => ENDING.has(code);

/** The record itself is at fault: sent again as it is, it is refused again. */
export const isOfRecord = ({ code }: Fault): boolean =>
  code === 'PAYLOAD_TOO_LARGE' || code === 'HEADERS_TOO_LARGE' || code === 'HEADER_INVALID';

/** The server was too busy for the moment: the same record may be sent again, if nothing behind it was stored. */
export const isTransient = ({ code }: Fault): boolean => code === 'OVERLOADED';
