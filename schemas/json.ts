import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { type Fault, fault } from './errors.js';
import { isDeeperThan, MAX_DEPTH, MAX_STORED_DEPTH } from './json-depth.js';

const decoder = new TextDecoder('utf-8', { fatal: true });
const encoder = new TextEncoder();

/**
 * Parses a payload: UTF-8 JSON. PAYLOAD_NOT_JSON with the parser's reason, PAYLOAD_INVALID where it is nested deeper than
 * {@link MAX_DEPTH}. An empty payload is `{}`.
 */
export const parseJson = (bytes: Uint8Array): Either<Fault, unknown> => {
  if (bytes.length === 0) return right({});
  if (isDeeperThan(bytes, MAX_DEPTH)) {
    return left(fault('PAYLOAD_INVALID', `the payload is nested more than ${MAX_DEPTH} levels deep`, ''));
  }
  try {
    return right(JSON.parse(decoder.decode(bytes)));
  } catch (error) {
    return left(fault('PAYLOAD_NOT_JSON', `the payload is not JSON: ${(error as Error).message}`));
  }
};

export const encodeJson = (value: unknown): Uint8Array => encoder.encode(JSON.stringify(value));

/**
 * For reading a record: its JSON, or its text when it is none, so that history shows what is there. What is nested deeper than
 * {@link MAX_STORED_DEPTH} is shown as text too: it can be written again by whoever shows it.
 */
export const jsonOrText = (bytes: Uint8Array): unknown => {
  const text = new TextDecoder().decode(bytes);
  if (isDeeperThan(bytes, MAX_STORED_DEPTH)) return text;
  try {
    return text === '' ? null : JSON.parse(text);
  } catch {
    return text;
  }
};
