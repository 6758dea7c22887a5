import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { type Fault, fault } from './errors.js';
import { isDeeperThan, MAX_DEPTH, MAX_STORED_DEPTH } from './json-depth.js';
import { MAX_PAYLOAD_BYTES } from './log.js';

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

/**
 * What is sent as a payload, as bytes of JSON; `undefined` is the empty payload. PAYLOAD_NOT_JSON for what JSON has no form for (a
 * circle, a function, a bigint), PAYLOAD_INVALID where it is nested deeper than {@link MAX_DEPTH}, PAYLOAD_TOO_LARGE.
 */
export const toPayload = (value: unknown, maxBytes = MAX_PAYLOAD_BYTES): Either<Fault, Uint8Array> => {
  if (value === undefined) return right(new Uint8Array(0));
  const isDeep = (): Fault =>
    fault('PAYLOAD_INVALID', `the payload is nested more than ${MAX_DEPTH} levels deep`, '');
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
      fault('PAYLOAD_TOO_LARGE', `the payload has ${bytes.length} bytes, and ${maxBytes} are allowed`),
    );
  }
  return isDeeperThan(bytes, MAX_DEPTH) ? left(isDeep()) : right(bytes);
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
