import type { MsgHdrs } from 'nats';
import { headersFrom } from '../../link/client-insides.js';
import { HEADER } from '../../schemas/headers.js';
import { LOG } from '../../schemas/log.js';
import { BROKER } from '../../journal/epochs/epoch.js';
import { LIVE } from '../../schemas/live.js';
import { epochSubject } from '../../schemas/subjects.js';
import type { WholeMessage } from '../../schemas/record.js';

/** A record as listeners get it. */
export interface LiveMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers: MsgHdrs;
}

/** A broker publishes this record when it takes the log over, and listens to it; see openLog. */
export const TAKEOVER = epochSubject(BROKER);

const NONE = Buffer.alloc(0);
const START = 'NATS/1.0\r\n';
/** The empty line that ends headers. */
const END = '\r\n';

/** `2026-11-29T15:06:23.402409009Z`, from the nanoseconds since 1970 in digits. */
const timeOf = ({ nanos, time }: WholeMessage): string =>
  `${time.slice(0, time.lastIndexOf('.'))}.${nanos.slice(-9).padStart(9, '0')}Z`;

/** Headers without the empty line. What a module stored need not have one. */
const openEnded = (headers: Uint8Array): Uint8Array => {
  const isEnded = Buffer.from(headers.subarray(-4)).toString('latin1') === END + END;
  return isEnded ? headers.subarray(0, -END.length) : Buffer.concat([headers, Buffer.from(END)]);
};

/**
 * The stored record with the headers that the server itself adds to a message of a stream. They come after all others:
 * the last value of each is the broker's, whatever the producer wrote. `maxBytes`: what the server takes of headers and
 * payload together. A record that has no room for these headers goes out without its payload.
 */
export const liveMessage = (record: WholeMessage, maxBytes: number): LiveMessage => {
  const { subject, headerBytes, data } = record;
  const stored = headerBytes.length === 0 ? Buffer.from(START) : openEnded(headerBytes);
  const own =
    `${HEADER.storedStream}: ${LOG}\r\n${HEADER.storedSubject}: ${subject}\r\n` +
    `${HEADER.storedSequence}: ${record.seq}\r\n${HEADER.storedTime}: ${timeOf(record)}\r\n`;
  const whole = Buffer.concat([stored, Buffer.from(own + END)]);
  const isWhole = whole.length + data.length <= maxBytes;
  const bytes = isWhole
    ? whole
    : Buffer.concat([stored, Buffer.from(`${own}${HEADER.storedSize}: ${data.length}\r\n${END}`)]);
  return { subject: LIVE + subject, data: isWhole ? data : NONE, headers: headersFrom(() => bytes) };
};
