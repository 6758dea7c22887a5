const decoder = new TextDecoder('latin1');

const MARK = 'Nats-Request-Info: {"';
/** What the server writes first of a connection; what the connection says of itself comes behind, as JSON text. */
const ID = /^Nats-Request-Info: \{(?:"start":"([^"\\]*)",)?(?:"host":"[^"\\]*",)?"id":(\d+)/;

/**
 * The number of a connection is that of one server process: another server, or the next process of this one, gives it
 * again. With the time of its start, in nanoseconds, it names one connection.
 */
const nameOf = (id: number | string, start: string | undefined): string =>
  start === undefined ? `${id}` : `${id}@${start}`;

/** The number that the server has for a connection. */
export const connectionNumber = (connection: string): string => connection.replace(/^.*\/|@.*$/g, '');

/**
 * The connection that a request came over: its number, and when it began. It limits how much of the broker's time a
 * connection gets, and says nothing of who asks: that is in the subject alone. The server writes it behind all headers
 * of the sender, so the last one in the bytes is the server's, whatever a sender wrote; and in the JSON behind it a
 * quote cannot stand without a backslash.
 */
export const connectionOf = (headerBytes: Uint8Array): string => {
  const text = decoder.decode(headerBytes.subarray(Math.max(0, headerBytes.length - 4_096)));
  const at = text.lastIndexOf(MARK);
  const found = at < 0 ? null : ID.exec(text.slice(at));
  return found === null ? '' : nameOf(found[2] as string, found[1]);
};

/** The server's event that a connection has closed. Source: `DisconnectEventMsg` in events.go of nats-server 2.15.1. */
export interface ConnectionClosed {
  readonly client?: { readonly start?: string; readonly id?: number; readonly acc?: string };
}

/** The connection that has closed, with its account, as requests have it; undefined: no client's. */
export const closedConnectionOf = ({ client }: ConnectionClosed): string | undefined =>
  client?.start === undefined || client.id === undefined || client.acc === undefined
    ? undefined
    : `${client.acc}/${nameOf(client.id, client.start)}`;
