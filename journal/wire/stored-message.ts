import { formatInstant } from '../../schemas/instant.js';
import type { JsMsg } from '@nats-io/jetstream';
import { HEADER } from '../../schemas/headers.js';
import type { StoredMessage, WholeMessage } from '../../schemas/record.js';
import { headerIn } from '../../link/header-text.js';
import { type Delivered, headerBytesOf, subjectBytesOf } from '../../link/message-headers.js';
import { WireRecord } from './wire-record.js';

/** What a delivered message's reply subject says about it. */
export interface Delivery {
  /** Position in the log. */
  readonly seq: number;
  /**
   * Number of this delivery to its consumer, from 1 and gap-free: a missing one shows that a message was lost on the
   * way.
   */
  readonly delivered: number;
  /** When the server stored it: nanoseconds since 1970, in digits (more than a double holds). */
  readonly nanos: string;
  /** Records that match the consumer's filters and were in the log, behind this one, when it was delivered. */
  readonly pending: number;
}

const ENDS: number[] = [];

/**
 * Reads `$JS.ACK.<stream>.<consumer>.<deliveries>.<seq>.<delivered>.<nanos>.<pending>`, or the longer form with domain
 * and account hash behind `ACK` and more parts behind `pending`. Undefined when it is neither.
 */
export const parseDelivery = (reply: string): Delivery | undefined => {
  if (!reply.startsWith('$JS.ACK.')) return undefined;
  // The end of each part. To split all of it would make strings that are rarely used, with every record.
  let count = 0;
  for (let at = reply.indexOf('.'); at >= 0; at = reply.indexOf('.', at + 1)) ENDS[count++] = at;
  ENDS[count] = reply.length;
  const first = count === 8 ? 5 : 7;
  if (count < first + 3) return undefined;
  const part = (i: number): string => reply.slice((ENDS[i - 1] as number) + 1, ENDS[i]);
  return {
    seq: Number(part(first)),
    delivered: Number(part(first + 1)),
    nanos: part(first + 2),
    pending: Number(part(first + 3)),
  };
};

/** Milliseconds since 1970, cut and not rounded, so that a record never seems younger than it is. */
export const millisOf = (nanos: string): number => (nanos.length > 6 ? Number(nanos.slice(0, -6)) : 0);

/** A message as it was delivered. Time, subject, headers and data are made when they are asked for: scans skip most. */
export class LogMessage implements WholeMessage {
  private headers: string | undefined;

  constructor(
    readonly seq: number,
    /** When the server stored it: nanoseconds since 1970, in digits. */
    readonly nanos: string,
    private readonly message: Delivered & { readonly subject: string },
  ) {}

  get time(): string {
    return formatInstant(this.timeMs);
  }

  get timeMs(): number {
    return millisOf(this.nanos);
  }

  get timeUs(): number {
    return Number(this.nanos.slice(0, -3));
  }

  get subject(): string {
    return this.message.subject;
  }

  get subjectBytes(): Uint8Array {
    return subjectBytesOf(this.message);
  }

  get headerBytes(): Uint8Array {
    return headerBytesOf(this.message);
  }

  get data(): Uint8Array {
    return this.message.data;
  }

  header(name: string): string | undefined {
    this.headers ??= Buffer.from(this.headerBytes).toString('utf8');
    return headerIn(this.headers, name);
  }

  /** The same record as bytes. */
  toWire(): WireRecord {
    const { subjectBytes } = this;
    const { data } = this.message;
    const start = Buffer.concat([subjectBytes, Buffer.from(this.nanos)]);
    const subjectTo = subjectBytes.length;
    const bytes = Buffer.concat([start, this.headerBytes, data]);
    const dataFrom = bytes.length - data.length;
    return new WireRecord(
      this.seq,
      bytes,
      0,
      subjectTo,
      subjectTo,
      start.length,
      start.length,
      dataFrom,
      bytes.length,
    );
  }
}

/** A message of any consumer of the log; costs one small object. */
export const toStored = (message: JsMsg): StoredMessage =>
  new LogMessage(message.seq, String(message.timestampNanos), message);

/** The bytes of a record that a reader yielded, whichever way it came. */
export const wireOf = (message: StoredMessage): WireRecord => {
  if (message instanceof WireRecord) return message;
  if (message instanceof LogMessage) return message.toWire();
  throw new TypeError(`record ${message.seq} does not come from a reader of the log`);
};

/** Bytes of subject, headers and payload of a record that a reader yielded. */
export const recordBytes = (message: WholeMessage): number =>
  message instanceof WireRecord
    ? message.size
    : message.subjectBytes.length + message.headerBytes.length + message.data.length;

/** The same of any record. A reader without payloads has the size of the payload in a header that the server added. */
export const bytesInLog = (message: StoredMessage): number => {
  const whole = message instanceof WireRecord || message instanceof LogMessage;
  const bytes = whole ? recordBytes(message) : message.subject.length + message.data.length;
  const size = message.data.length > 0 ? undefined : message.header(HEADER.storedSize);
  if (size === undefined || !/^\d{1,9}$/.test(size)) return bytes;
  return bytes + Number(size) - `${HEADER.storedSize}: ${size}\r\n`.length;
};
