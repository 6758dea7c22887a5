import { itemsAt, membersAt, rootOf, type Slice, textAt } from '../../schemas/json-scan.js';
import { Payload } from '../../schemas/payload.js';
import { parseResult } from '../../schemas/result-bytes.js';
import type { TraceRecord } from './trace-record.js';

/** What became of a command. `open`: it has no result; `unreadable`: its result is none that the protocol knows. */
export type TraceOutcome = 'ok' | 'rejected' | 'failed' | 'expired' | 'open' | 'unreadable';

export interface OutcomeError {
  readonly code: string;
  readonly message: string;
}

export interface ReadOutcome {
  readonly outcome: TraceOutcome;
  readonly error: OutcomeError | null;
  /** What the caller was given. */
  readonly data: Payload | null;
  /** Subjects of what the outcome carries, in order. */
  readonly out: readonly string[];
}

const REFUSED: readonly TraceOutcome[] = ['rejected', 'failed', 'expired'];
const NONE: ReadOutcome = { outcome: 'open', error: null, data: null, out: [] };

const textOf = (bytes: Uint8Array, slice: Slice | undefined): string =>
  slice === undefined ? '' : (textAt(bytes, slice) ?? '');

const subjectsIn = (bytes: Uint8Array, out: Slice): readonly string[] =>
  (itemsAt(bytes, out) ?? []).map((item) => textOf(bytes, membersAt(bytes, item, ['subject'])?.subject));

const isNull = (bytes: Uint8Array, { from }: Slice): boolean => bytes[from] === 110;

/** Reads a result as far as it can be read, from its bytes: anybody may have written the log. */
export const readOutcome = (result: TraceRecord | null): ReadOutcome => {
  if (result === null) return NONE;
  const { bytes } = result.payload;
  const members =
    parseResult(bytes) === undefined
      ? undefined
      : membersAt(bytes, rootOf(bytes), ['status', 'data', 'out', 'error']);
  if (members === undefined) return { ...NONE, outcome: 'unreadable' };
  const status = textOf(bytes, members.status);
  if (status === 'ok') {
    const { data, out } = members;
    const given =
      data === undefined || isNull(bytes, data) ? null : new Payload(bytes.subarray(data.from, data.to));
    return { outcome: 'ok', error: null, data: given, out: out === undefined ? [] : subjectsIn(bytes, out) };
  }
  const refused = REFUSED.find((outcome) => outcome === status);
  if (refused === undefined) return { ...NONE, outcome: 'unreadable' };
  const error =
    members.error === undefined ? undefined : membersAt(bytes, members.error, ['code', 'message']);
  const [code, message] = [textOf(bytes, error?.code), textOf(bytes, error?.message)];
  return { ...NONE, outcome: refused, error: { code, message } };
};
