import { isErrorCode } from '../../../schemas/error-table.js';

/** Answers in the bytes that came back, each with its problem if it has none of the forms that answers have. */
export interface ReadAnswers {
  readonly statuses: readonly number[];
  readonly wrong: string | undefined;
}

const SHOWN = 400;
const NO_BODY: ReadonlySet<number> = new Set([204, 304]);

const bodyEnd = (text: string, from: number, head: string): number => {
  const length = /^content-length: *(\d+)$/im.exec(head)?.[1];
  if (length !== undefined) return from + Number(length);
  if (!/^transfer-encoding: *chunked$/im.test(head)) return text.length;
  const end = text.indexOf('0\r\n\r\n', from);
  return end === -1 ? text.length : end + 5;
};

const problemIn = (status: number, head: string, body: string): string | undefined => {
  if (status < 400) return undefined;
  if (!/^content-type: application\/problem\+json/im.test(head)) return 'an error that is no problem';
  // The answer to HEAD has no body.
  if (body === '') return undefined;
  try {
    const { code } = JSON.parse(Buffer.from(body, 'latin1').toString()) as { readonly code?: unknown };
    return typeof code === 'string' && isErrorCode(code) ? undefined : `the code ${String(code)}`;
  } catch {
    return 'a problem that is no JSON';
  }
};

/**
 * Reads answers, one byte a character. Each error must be Problem Details with a code of the table of errors, also where
 * the request was no HTTP at all. Of the last answer a part may be missing: the server may close while it sends.
 */
export const readAnswers = (text: string): ReadAnswers => {
  const statuses: number[] = [];
  let at = 0;
  while (at < text.length) {
    const found = /^HTTP\/1\.1 (\d{3}) [^\r\n]*\r\n/.exec(text.slice(at, at + 100));
    const headEnd = text.indexOf('\r\n\r\n', at);
    if (found === null || headEnd === -1)
      return { statuses, wrong: `no answer: ${JSON.stringify(text.slice(at, at + SHOWN))}` };
    const head = text.slice(at, headEnd);
    const status = Number(found[1]);
    const from = headEnd + 4;
    const next = text.startsWith('HTTP/1.1 ', from);
    const end = status < 200 || NO_BODY.has(status) || next ? from : bodyEnd(text, from, head);
    const isWhole = end <= text.length;
    statuses.push(status);
    const wrong = isWhole ? problemIn(status, head, text.slice(from, end)) : undefined;
    if (wrong !== undefined)
      return { statuses, wrong: `${wrong}: ${JSON.stringify(text.slice(at, at + SHOWN))}` };
    at = end;
  }
  return { statuses, wrong: undefined };
};
