const decoder = new TextDecoder('latin1');

const MARK = 'Nats-Request-Info: {"';
/** What the server writes first of a connection; what the connection says of itself comes behind, as JSON text. */
const ID = /^Nats-Request-Info: \{(?:"start":"[^"\\]*",)?(?:"host":"[^"\\]*",)?"id":(\d+)/;

/**
 * Number of the connection that a request came over. It bounds how much of the broker's time a connection gets, and
 * says nothing of who asks: that is in the subject alone. The server writes it behind all headers of the sender, so
 * the last one in the bytes is the server's, whatever a sender wrote; and in the JSON behind it a quote cannot stand
 * without a backslash.
 */
export const connectionOf = (headerBytes: Uint8Array): string => {
  const text = decoder.decode(headerBytes.subarray(Math.max(0, headerBytes.length - 4_096)));
  const at = text.lastIndexOf(MARK);
  return at < 0 ? '' : (ID.exec(text.slice(at))?.[1] ?? '');
};
