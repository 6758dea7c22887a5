import type { Msg } from 'nats';
import * as E from 'fp-ts/lib/Either.js';
import { type ErrorCode, type Fault, fault } from '../../schemas/errors.js';

// Codes of nats-server's errors.json; each says for certain that the record was not stored.
const CODES: Readonly<Record<number, ErrorCode>> = {
  10071: 'EPOCH_LOST', // wrong last sequence: the fence
  10164: 'EPOCH_LOST', // the same where the server does not say which it is
  10077: 'LOG_FULL', // maximum bytes exceeded
  10047: 'LOG_FULL', // insufficient storage resources
  10054: 'PAYLOAD_TOO_LARGE', // message size exceeds maximum allowed
  10167: 'OVERLOADED', // too many requests: the stream's inbound queue is full
};

interface Reply {
  readonly seq?: number;
  readonly error?: { readonly code: number; readonly err_code?: number; readonly description: string };
}

/** Reads the answer to a publish: the sequence it was stored at, or why the record was not stored. */
export const parsePubAck = (msg: Msg): E.Either<Fault, number> => {
  if (msg.data.length === 0) {
    // A status without a body: 503, nobody takes this subject.
    return E.left(fault('LOG_UNAVAILABLE', `no stream takes ${msg.headers?.description ?? 'this subject'}`));
  }
  const reply = JSON.parse(msg.string()) as Reply;
  if (reply.error !== undefined) {
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
  return E.right(reply.seq);
};
