import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { type Fault, fault } from './errors.js';

const decoder = new TextDecoder('utf-8', { fatal: true });
const encoder = new TextEncoder();

/** Parses a payload: UTF-8 JSON, or `PAYLOAD_NOT_JSON` with the parser's reason. An empty payload is `{}`. */
export const parseJson = (bytes: Uint8Array): Either<Fault, unknown> => {
  if (bytes.length === 0) return right({});
  try {
    return right(JSON.parse(decoder.decode(bytes)));
  } catch (error) {
    return left(fault('PAYLOAD_NOT_JSON', `the payload is not JSON: ${(error as Error).message}`));
  }
};

export const encodeJson = (value: unknown): Uint8Array => encoder.encode(JSON.stringify(value));

/** For reading a record: its JSON, or its text when it is none, so that history shows what is there. */
export const jsonOrText = (bytes: Uint8Array): unknown => {
  const text = new TextDecoder().decode(bytes);
  try {
    return text === '' ? null : JSON.parse(text);
  } catch {
    return text;
  }
};
