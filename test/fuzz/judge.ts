import { CODE_PATTERN } from '../../schemas/result.js';
import type { RequestInput } from './input.js';
import type { Ending } from './wire/wire.js';

const CODE = new RegExp(CODE_PATTERN);

interface Body {
  readonly status?: unknown;
  readonly error?: { readonly code?: unknown; readonly err_code?: unknown; readonly message?: unknown };
  readonly data?: unknown;
}

/** How an answer is counted, and what is wrong with it. */
export interface Verdict {
  readonly outcome: string;
  readonly finding?: string;
}

const wrong = (outcome: string, finding: string): Verdict => ({ outcome, finding });

const judgeBody = ({ subject }: RequestInput, headers: string, body: Buffer): Verdict => {
  const shown = JSON.stringify(body.toString('utf8').slice(0, 300));
  let parsed: Body | null;
  try {
    parsed = JSON.parse(body.toString('utf8')) as Body | null;
  } catch {
    return wrong('no JSON', `the answer is no JSON: ${shown} ${JSON.stringify(headers.slice(0, 200))}`);
  }
  const error = parsed?.error;
  if (error === undefined || error === null) return { outcome: 'served' };
  // The server's own errors have numbers.
  if (typeof error.code === 'number') return { outcome: `server ${String(error.err_code ?? error.code)}` };
  const { code, message } = error;
  if (typeof code !== 'string' || !CODE.test(code) || typeof message !== 'string') {
    return wrong('untyped', `the answer has no typed error: ${shown}`);
  }
  return code === 'INTERNAL'
    ? wrong(code, `the answer to ${subject.slice(0, 80)} is ${shown}`)
    : { outcome: code };
};

/** What an ending is worth: silence and faults of the broker's own are findings where an answer is promised. */
export const judge = (input: RequestInput, ending: Ending): Verdict => {
  if (ending.type !== 'answer') {
    const isLost = ending.type === 'silence' || ending.type === 'cut';
    return isLost && input.promised
      ? wrong(ending.type, `ended in ${ending.type}`)
      : { outcome: ending.type };
  }
  const verdict = judgeBody(input, ending.headers, ending.body);
  return input.promised || verdict.outcome === 'INTERNAL' ? verdict : { outcome: verdict.outcome };
};
