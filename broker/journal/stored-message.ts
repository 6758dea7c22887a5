import type { JsMsg } from '@nats-io/jetstream';
import type { MsgHdrs } from 'nats';
import type { StoredMessage, WholeMessage } from '../../schemas/record.js';

/** On every message of a consumer whose policy is `pinned_client`: whom the server has pinned it to. */
export const PIN_HEADER = 'Nats-Pin-Id';

/** What a delivered message's reply subject says about it. */
export interface Delivery {
  /** Position in the log. */
  readonly seq: number;
  /** Number of this delivery to its consumer, from 1 and gap-free: a missing one shows that a message was lost on the way. */
  readonly delivered: number;
  /** When the server stored it: nanoseconds since 1970, in digits (more than a double holds). */
  readonly nanos: string;
  /** Records that match the consumer's filters and were in the log, behind this one, when it was delivered. */
  readonly pending: number;
}

/**
 * Reads `$JS.ACK.<stream>.<consumer>.<deliveries>.<seq>.<delivered>.<nanos>.<pending>`, or the longer form with domain
 * and account hash behind `ACK` and more tokens behind `pending`. Undefined when it is neither.
 */
export const parseDelivery = (reply: string): Delivery | undefined => {
  if (!reply.startsWith('$JS.ACK.')) return undefined;
  const tokens = reply.split('.');
  const at = tokens.length === 9 ? 5 : 7;
  const nanos = tokens[at + 2];
  const pending = tokens[at + 3];
  if (nanos === undefined || pending === undefined) return undefined;
  return { seq: Number(tokens[at]), delivered: Number(tokens[at + 1]), nanos, pending: Number(pending) };
};

/** Milliseconds since 1970, cut and not rounded, so that a record never seems younger than it is. */
export const millisOf = (nanos: string): number => (nanos.length > 6 ? Number(nanos.slice(0, -6)) : 0);

/** What the client's header objects can beside what their type tells. */
type Encoded = MsgHdrs & { readonly encode: () => Uint8Array };

const NONE = new Uint8Array(0);

interface Delivered {
  readonly subject: string;
  readonly headers?: MsgHdrs | undefined;
  readonly data: Uint8Array;
}

/** A message as it was delivered. Time, subject, headers and data are made when they are asked for: scans skip most. */
export class LogMessage implements WholeMessage {
  constructor(
    readonly seq: number,
    /** When the server stored it: nanoseconds since 1970, in digits. */
    readonly nanos: string,
    private readonly message: Delivered,
  ) {}

  get time(): string {
    return new Date(this.timeMs).toISOString();
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

  /** As the client library writes them, which parsed them: blanks around a value are gone. */
  get headerBytes(): Uint8Array {
    return (this.message.headers as Encoded | undefined)?.encode() ?? NONE;
  }

  get data(): Uint8Array {
    return this.message.data;
  }

  header(name: string): string | undefined {
    const value = this.message.headers?.get(name);
    return value === '' ? undefined : value;
  }
}

/** A message of any consumer of the log; costs one small object. */
export const toStored = (message: JsMsg): StoredMessage =>
  new LogMessage(message.seq, String(message.timestampNanos), message);
