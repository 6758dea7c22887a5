import type { Msg } from 'nats';
import * as E from 'fp-ts/lib/Either.js';
import { headersOf } from './message-headers.js';
import type { ErrorCode } from '../schemas/error-table.js';
import { type Fault, fault } from '../schemas/errors.js';
import { JETSTREAM_ERROR } from './jetstream-error.js';

// Each one guarantees that the record is not stored.
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
  /** Records of the committed batch. */
  readonly count?: number;
  /** A code of the server, or of the broker, whose codes are words. */
  readonly error?:
    | { readonly code: number; readonly err_code?: number; readonly description: string }
    | Fault;
}

/** The stored records: the last sequence, and their number. Their sequences follow each other. */
export interface PubAck {
  readonly seq: number;
  readonly count: number;
}

/** Reads the reply to a publish: the sequences, or the reason why no record is stored. */
export const parsePubAck = (msg: Msg): E.Either<Fault, PubAck> => {
  if (msg.data.length === 0) {
    // A status without a body, 503: no stream takes this subject.
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
      fault('LOG_UNAVAILABLE', `the server replied to a publish with ${msg.string().slice(0, 200)}`),
    );
  }
  return E.right({ seq: reply.seq, count: reply.count ?? 1 });
};

/**
 * The reply of a broker that stores records for others. The codes of {@link endsEpoch} mean that you must ask the
 * log: no broker took the record, or the one that took it cannot tell whether it is stored.
 */
export const parseServedAck = (msg: Msg): E.Either<Fault, PubAck> =>
  msg.data.length === 0
    ? E.left(fault('BROKER_UNREACHABLE', 'no broker takes commands there: is it running?'))
    : parsePubAck(msg);

const ENDING: ReadonlySet<ErrorCode> = new Set(['BROKER_UNREACHABLE', 'EPOCH_CLOSED', 'LOG_UNCERTAIN']);

export const endsEpoch = ({ code }: Fault): boolean => ENDING.has(code);

/** The record itself is at fault: the server would refuse it again. */
export const isOfRecord = ({ code }: Fault): boolean =>
  code === 'PAYLOAD_TOO_LARGE' || code === 'HEADERS_TOO_LARGE' || code === 'HEADER_INVALID';

/** The server was too busy for the moment. The same record may be sent again if no later one is stored. */
export const isTransient = ({ code }: Fault): boolean => code === 'OVERLOADED';
