import type { NatsConnection } from 'nats';
import { headersFrom, patchable, type Protocol } from './client-insides.js';
import { OutgoingBytes } from './outgoing-bytes.js';

const NOTHING = new Uint8Array(0);
const BLANK = /\s/;

/** A message with its headers as they travel. */
export interface LaneMessage {
  readonly subject: string;
  /** Where the acknowledgement goes; empty: there is none. */
  readonly reply: string;
  /** From `NATS/1.0` to the empty line. */
  readonly headers: string;
  readonly payload: Uint8Array;
}

/** Writes messages straight into the bytes that a connection sends next, in order with all else that it sends. */
class WriteLane {
  constructor(
    private readonly nc: NatsConnection,
    private readonly client: Required<Pick<Protocol, 'sendCommand' | 'outMsgs' | 'outBytes'>>,
    private readonly outgoing: OutgoingBytes,
  ) {}

  /** False: the client has to publish it, or to say why it cannot. */
  write({ subject, reply, headers, payload }: LaneMessage): boolean {
    if (this.nc.isClosed() || this.nc.isDraining() || subject === '' || BLANK.test(subject)) return false;
    const headerBytes = Buffer.byteLength(headers);
    const bytes = headerBytes + payload.length;
    const line = `HPUB ${subject} ${reply}${reply === '' ? '' : ' '}${headerBytes} ${bytes}\r\n`;
    // With nothing in it the client only sees to it that the bytes are sent behind this turn, or now if they are many.
    this.client.sendCommand(NOTHING);
    this.outgoing.message(line + headers, Buffer.byteLength(line) + headerBytes, payload);
    this.client.outMsgs += 1;
    this.client.outBytes += bytes;
    return true;
  }
}

const lanes = new WeakMap<NatsConnection, WriteLane>();

/** Has a connection of ours keep what it sends in one buffer. Nothing changes where the client is another one. */
export const openWriteLane = (nc: NatsConnection): void => {
  const protocol = patchable(nc);
  if (protocol === undefined) return;
  const { outbound, sendCommand, outMsgs, outBytes } = protocol;
  const isKnown =
    typeof outbound?.drain === 'function' &&
    typeof outbound.fill === 'function' &&
    typeof sendCommand === 'function' &&
    typeof outMsgs === 'number' &&
    typeof outBytes === 'number';
  if (!isKnown) return;
  const outgoing = new OutgoingBytes(() => protocol.transport?.socket?.writableLength === 0);
  outgoing.fill(outbound.drain());
  protocol.outbound = outgoing;
  lanes.set(nc, new WriteLane(nc, protocol as Required<Protocol>, outgoing));
};

/** Publishes a message whose headers are ready. Throws what the client throws. */
export const publishMessage = (nc: NatsConnection, message: LaneMessage): void => {
  if (lanes.get(nc)?.write(message) === true) return;
  const { subject, reply, headers, payload } = message;
  // Of a header object the client asks for nothing but its bytes when it publishes.
  const encoded = headersFrom(() => Buffer.from(headers));
  nc.publish(subject, payload, { headers: encoded, ...(reply === '' ? {} : { reply }) });
};
