import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { type Fault, fault } from './errors.js';
import { isDeeperThan, MAX_JSON_DEPTH, MAX_STORED_DEPTH } from './json-depth.js';
import { MAX_PAYLOAD_BYTES } from './log.js';

const decoder = new TextDecoder('utf-8', { fatal: true });
const encoder = new TextEncoder();

/**
 * Parses a payload: UTF-8 JSON. PAYLOAD_NOT_JSON with the parser's reason; PAYLOAD_INVALID if it is nested deeper than
 * {@link MAX_JSON_DEPTH}. An empty payload is `{}`.
 */
export const parseJson = (bytes: Uint8Array): Either<Fault, unknown> => {
  if (bytes.length === 0) return right({});
  if (isDeeperThan(bytes, MAX_JSON_DEPTH)) {
    return left(
      fault('PAYLOAD_INVALID', `the payload is nested more than ${MAX_JSON_DEPTH} levels deep`, ''),
    );
  }
  try {
    return right(JSON.parse(decoder.decode(bytes)));
  } catch (error) {
    return left(fault('PAYLOAD_NOT_JSON', `the payload is not JSON: ${(error as Error).message}`));
  }
};

/**
 * A value as bytes of JSON, to send as a payload; `undefined` is the empty payload. PAYLOAD_NOT_JSON for values
 * without a form in JSON (a circle, a function, a bigint), PAYLOAD_INVALID if it is nested deeper than {@link
 * MAX_JSON_DEPTH}, PAYLOAD_TOO_LARGE.
 */
export const toPayload = (value: unknown, maxBytes = MAX_PAYLOAD_BYTES): Either<Fault, Uint8Array> => {
  if (value === undefined) return right(new Uint8Array(0));
  const isDeep = (): Fault =>
    fault('PAYLOAD_INVALID', `the payload is nested more than ${MAX_JSON_DEPTH} levels deep`, '');
  let text: string | undefined;
  try {
    text = JSON.stringify(value);
  } catch (error) {
    if (error instanceof RangeError) return left(isDeep());
    return left(fault('PAYLOAD_NOT_JSON', `the payload cannot be JSON: ${(error as Error).message}`));
  }
  if (text === undefined)
    return left(fault('PAYLOAD_NOT_JSON', `the payload cannot be JSON: a ${typeof value}`));
  const bytes = encoder.encode(text);
  if (bytes.length > maxBytes) {
    return left(
      fault('PAYLOAD_TOO_LARGE', `the payload has ${bytes.length} bytes; at most ${maxBytes} are allowed`),
    );
  }
  return isDeeperThan(bytes, MAX_JSON_DEPTH) ? left(isDeep()) : right(bytes);
};

/** A value as the bytes of its JSON in UTF-8. */
export const encodeJson = (value: unknown): Uint8Array => encoder.encode(JSON.stringify(value));

/**
 * For showing a record: its JSON, or its text if it is not JSON. JSON that is nested deeper than {@link
 * MAX_STORED_DEPTH} is shown as text too, because a program that shows it must be able to write it again.
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

/** A line that is a JSON object; undefined: it is something else. */
export const objectInLine = (line: string): Readonly<Record<string, unknown>> | undefined => {
  if (!line.startsWith('{') || !line.endsWith('}')) return undefined;
  try {
    return JSON.parse(line) as Readonly<Record<string, unknown>>;
  } catch {
    return undefined;
  }
};
