import { itemsAt, membersAt, textAt, rootOf } from './json-scan.js';
import type { Result } from './result.js';

/** A record that an outcome causes: its subject, and its payload with the exact bytes of the result. */
export interface PromisedCopy {
  readonly subject: string;
  readonly data: Uint8Array;
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

const NONE: readonly PromisedCopy[] = [];
const COPY = /^(?:evt|cmd)\./;

/** The parsed body of a result; undefined if it is not JSON. */
export const parseResult = (body: Uint8Array): unknown => {
  try {
    return JSON.parse(decoder.decode(body));
  } catch {
    return undefined;
  }
};

const isOk = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && (value as Partial<Result>).status === 'ok';

/** The same for a body that is JSON and ok, because the caller has just written it. */
export const copiesIn = (body: Uint8Array): readonly PromisedCopy[] => {
  const out = membersAt(body, rootOf(body), ['out'])?.out;
  const items = out === undefined ? undefined : itemsAt(body, out);
  if (items === undefined) return NONE;
  const copies: PromisedCopy[] = [];
  for (const item of items) {
    const members = membersAt(body, item, ['subject', 'data']);
    const subject = members?.subject === undefined ? undefined : textAt(body, members.subject);
    const data = members?.data;
    // A record that is no result promises nothing: a part of it could be half of the outcome.
    if (subject === undefined || data === undefined || !COPY.test(subject)) return NONE;
    copies.push({ subject, data: body.subarray(data.from, data.to) });
  }
  return copies;
};

/**
 * The copies that the body of a result promises, in order, as slices of these bytes. A module in another language may
 * store a body that is no result. That promises nothing, and neither does a result that is not ok.
 */
export const promisedCopies = (body: Uint8Array): readonly PromisedCopy[] =>
  isOk(parseResult(body)) ? copiesIn(body) : NONE;

const OK_DATA = encoder.encode('{"status":"ok","data":');
const OK_ALONE = encoder.encode('{"status":"ok"}');
const END = encoder.encode('}');

/**
 * What a caller gets of a result that is ok: the stored bytes without `out`. JSON.parse must accept the body.
 */
export const bodyForCaller = (body: Uint8Array): Uint8Array => {
  const { out, data } = membersAt(body, rootOf(body), ['out', 'data']) ?? {};
  if (out === undefined) return body;
  if (data === undefined) return OK_ALONE;
  const size = data.to - data.from;
  const answer = new Uint8Array(OK_DATA.length + size + END.length);
  answer.set(OK_DATA);
  answer.set(body.subarray(data.from, data.to), OK_DATA.length);
  answer.set(END, OK_DATA.length + size);
  return answer;
};
