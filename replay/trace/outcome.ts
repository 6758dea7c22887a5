import type { TraceRecord } from './trace-record.js';

/** What became of a command. `open`: it has no result; `unreadable`: its result is none that the protocol knows. */
export type Outcome = 'ok' | 'rejected' | 'failed' | 'expired' | 'open' | 'unreadable';

export interface OutcomeError {
  readonly code: string;
  readonly message: string;
}

export interface ReadOutcome {
  readonly outcome: Outcome;
  readonly error: OutcomeError | null;
  /** What the caller was given. */
  readonly data: unknown;
  /** Subjects of what the outcome carries, in order. */
  readonly out: readonly string[];
}

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null;
const text = (value: unknown): string => (typeof value === 'string' ? value : '');

const REFUSED: readonly Outcome[] = ['rejected', 'failed', 'expired'];
const NONE: ReadOutcome = { outcome: 'open', error: null, data: null, out: [] };

/** Reads a result as far as it can be read: anybody may have written the log. */
export const readOutcome = (result: TraceRecord | null): ReadOutcome => {
  if (result === null) return NONE;
  const { data } = result;
  if (!isFields(data)) return { ...NONE, outcome: 'unreadable' };
  if (data.status === 'ok') {
    const out = Array.isArray(data.out) ? data.out : [];
    const subjects = out.map((each: unknown) => (isFields(each) ? text(each.subject) : ''));
    return { outcome: 'ok', error: null, data: data.data ?? null, out: subjects };
  }
  const refused = REFUSED.find((outcome) => outcome === data.status);
  if (refused === undefined) return { ...NONE, outcome: 'unreadable' };
  const error = isFields(data.error) ? data.error : {};
  return { ...NONE, outcome: refused, error: { code: text(error.code), message: text(error.message) } };
};
