import type { Msg, MsgHdrs, NatsConnection, PublishOptions } from 'nats';
import { MessageHeaders } from '../../link/message-headers.js';
import type { Arrival } from './intake-messages.js';

const decoder = new TextDecoder();

/** A request that another thread read; it is answered over this thread's connection. */
export class Incoming implements Msg {
  readonly subject: string;
  readonly reply: string;
  readonly sid: number;
  readonly data: Uint8Array;
  /** Headers and payload as they came; `headerBytesOf` reads them here. */
  readonly _rdata: Uint8Array;
  readonly headers?: MsgHdrs;
  /** Account, number and start of the connection; see `Taken`. */
  readonly connection: string;
  /** Sends the reply later: its sender has had too many refusals. */
  sendLater?: (send: () => void) => void;
  readonly #nc: NatsConnection;

  constructor(
    { id, subject, reply, connection, headerBytes }: Arrival,
    bytes: Uint8Array,
    nc: NatsConnection,
  ) {
    this.sid = id;
    this.subject = subject;
    this.reply = reply;
    this.connection = connection;
    this._rdata = bytes;
    this.data = bytes.subarray(headerBytes);
    if (headerBytes > 0) this.headers = new MessageHeaders(bytes.subarray(0, headerBytes));
    this.#nc = nc;
  }

  respond(data?: Uint8Array | string, options?: PublishOptions): boolean {
    if (this.reply === '') return false;
    const send = (): void => this.#nc.publish(this.reply, data, options);
    if (this.sendLater === undefined) send();
    else this.sendLater(send);
    return true;
  }

  json<T>(reviver?: (this: unknown, key: string, value: unknown) => unknown): T {
    return JSON.parse(this.string(), reviver) as T;
  }

  string(): string {
    return decoder.decode(this.data);
  }
}
