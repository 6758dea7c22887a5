import { isDeeperThan, MAX_STORED_DEPTH } from '../../schemas/json-depth.js';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text of these bytes; undefined if they are not UTF-8. */
export const textOf = (bytes: Uint8Array): string | undefined => {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
};

/**
 * The payload as JSON text, if it is JSON that gives the same bytes again. A number beyond a double, a duplicated key
 * or a blank would not. Undefined for all other payloads, for an empty one, and for JSON that is nested deeper than
 * most programs can read.
 */
export const jsonText = (data: Uint8Array): string | undefined => {
  const text = isDeeperThan(data, MAX_STORED_DEPTH) ? undefined : textOf(data);
  if (text === undefined) return undefined;
  try {
    return JSON.stringify(JSON.parse(text)) === text ? text : undefined;
  } catch {
    return undefined;
  }
};

export const toBase64 = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');

/** Undefined if the text is not valid base64: Node's own decoder skips unknown characters. */
export const fromBase64 = (text: string): Uint8Array | undefined => {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
};
