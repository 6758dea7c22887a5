/** On every message of a consumer whose policy is `pinned_client`, behind all its headers: whom the server has pinned it to. */
export const PIN_HEADER = 'Nats-Pin-Id';

const PIN = `${PIN_HEADER}: `;
const START = 'NATS/1.0\r\n';
const END = '\r\n';

/** What was stored, of the bytes of headers that a pinned consumer delivered. */
export const withoutPin = (bytes: Uint8Array): Uint8Array => {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const last = text.lastIndexOf(END, text.length - 2 * END.length - 1);
  const from = last < 0 ? -1 : last + END.length;
  if (from < 0 || text.toString('latin1', from, from + PIN.length) !== PIN) return bytes;
  // The one header there was: the record has none.
  if (from === START.length) return text.subarray(0, 0);
  return Buffer.concat([text.subarray(0, from), Buffer.from(END)]);
};
