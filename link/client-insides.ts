import type { MsgHdrs, NatsConnection } from 'nats';

/**
 * What we use of the inside of the client of NATS, @nats-io/nats-core. Its types do not name these things, so the
 * package pins one exact version. docs/internals/insides.md lists each use with its test, and with what happens when
 * the inside is another one.
 *
 * We read on any connection. We patch only connections that we opened ourselves, by `dial()`: the connection of a
 * user's program stays as that program made it.
 */
interface ConnectionInside {
  readonly protocol?: Protocol;
}

/** The client's parser: it takes bytes from the socket, in pieces that end anywhere. */
export interface Parser {
  /** 0 between two operations. */
  readonly state: number;
  parse(bytes: Uint8Array): void;
}

/** What the client calls for each message of one subscription. */
export interface Subscriber {
  readonly subject?: string;
  callback: (error: Error | null, message: never) => void;
}

/** What the client is to send. It asks for nothing else here. */
export interface Outbound {
  reset(): void;
  /** 0: nothing. */
  length(): number;
  /** In bytes. */
  size(): number;
  fill(...parts: readonly Uint8Array[]): void;
  drain(): Uint8Array;
}

export interface Protocol {
  readonly parser?: Partial<Parser>;
  readonly subscriptions?: { add?: (subscriber: Subscriber) => unknown };
  /** Writes what was published to the socket. */
  readonly flushPending?: () => void;
  readonly transport?: {
    readonly socket?: { readonly destroy?: () => void; readonly writableLength?: number };
  };
  outbound?: Outbound;
  /** Fills `outbound`, and sees to it that it is sent. */
  sendCommand?(bytes: Uint8Array): void;
  /** What `nc.stats()` reports. */
  inMsgs?: number;
  inBytes?: number;
  outMsgs?: number;
  outBytes?: number;
}

interface MessageInside {
  /** Headers and payload, as they came. */
  readonly _rdata?: unknown;
  /** The operation as the parser read it. */
  readonly _msg?: { readonly subject?: unknown };
  /** The header object, once it has been read. */
  _headers?: unknown;
}

const opened = new WeakSet<NatsConnection>();

/** Notes that this connection is ours. */
export const markOpened = (nc: NatsConnection): void => {
  opened.add(nc);
};

/** What may be patched: undefined on a connection that we did not open. */
export const patchable = (nc: NatsConnection): Protocol | undefined =>
  opened.has(nc) ? (nc as ConnectionInside).protocol : undefined;

/** The socket under a connection; undefined where this client has none. */
export const socketOf = (nc: NatsConnection): { readonly destroy: () => void } | undefined => {
  const socket = (nc as ConnectionInside).protocol?.transport?.socket;
  return socket?.destroy === undefined ? undefined : (socket as { readonly destroy: () => void });
};

/** Writes what was published to the socket at once, where this client can: it does so by itself a moment later. */
export const sendNow = (nc: NatsConnection): void => (nc as ConnectionInside).protocol?.flushPending?.();

/** Headers and payload of a message, as they came; undefined where this client does not keep them. */
export const rawBytesOf = (message: object): Uint8Array | undefined => {
  const raw = (message as MessageInside)._rdata;
  return raw instanceof Uint8Array ? raw : undefined;
};

/** The bytes of a message's subject; undefined where this client does not keep them. */
export const rawSubjectOf = (message: object): Uint8Array | undefined => {
  const raw = (message as MessageInside)._msg?.subject;
  return raw instanceof Uint8Array ? raw : undefined;
};

/** The header object that the client holds for a message. */
export const heldHeaders = (message: object): unknown => (message as MessageInside)._headers;

/** Gives the client the header object of a message that it received on one of our connections. */
export const holdHeaders = (message: object, headers: MsgHdrs): void => {
  (message as MessageInside)._headers = headers;
};

/** The bytes by which the client publishes a header object; undefined where it has another way. */
export const encodedHeaders = (headers: MsgHdrs | undefined): Uint8Array | undefined =>
  (headers as (MsgHdrs & { readonly encode?: () => Uint8Array }) | undefined)?.encode?.();

/** A header object of bytes that are ready: the client asks it for nothing else when it publishes. */
export const headersFrom = (encode: () => Uint8Array): MsgHdrs => ({ encode }) as unknown as MsgHdrs;
