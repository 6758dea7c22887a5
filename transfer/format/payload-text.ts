import { isDeeperThan, MAX_STORED_DEPTH } from '../../schemas/json-depth.js';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text that these bytes are; undefined where they are no UTF-8. */
export const textOf = (bytes: Uint8Array): string | undefined => {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined;
  }
};

/**
 * The payload as JSON text, where it is JSON and prints back to the same bytes: a number that a double does not hold, a
 * key that is there twice or a blank would not. Undefined for all else, for an empty one, and for JSON that is nested deeper than
 * most programs read.
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

/** Undefined where the text is not the base64 of anything: Node's own decoder passes over what it does not know. */
export const fromBase64 = (text: string): Uint8Array | undefined => {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
};
