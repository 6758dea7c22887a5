import { BY_UNKNOWN } from '../../schemas/audit-record.js';
import type { RefusedRequest } from './refusal-folds.js';

/** A text in Go's `%q`: a quote inside has a backslash, so what a client calls itself ends where the server says. */
const QUOTED = '"(?:[^"\\\\]|\\\\.)*"';
/** Of a connection: what its client says of itself, if anything, and the account and user that the server knows. */
const OF = ` - cid:\\d+(?: - ${QUOTED})?? - "([^"/\\\\]+)/(?:[^"\\\\]|\\\\.)*" - `;

const VIOLATION = new RegExp(`${OF}(Publish|Subscription) Violation - Subject (${QUOTED})`);
const MAXIMUM = new RegExp(`${OF}(maximum [a-z ]+ exceeded)`, 'i');
const BAD_CREDENTIAL = / - cid:\d+ (?:- .*)?- authentication error(?: - (.*))?$/;

const unquoted = (text: string): string => {
  try {
    return String(JSON.parse(text));
  } catch {
    // Go quotes some characters in a way that JSON does not have.
    return text.slice(1, -1);
  }
};

/** The connection of a line that tells of a refused publish or subscription. What a client says of itself is behind. */
export const violatingConnection = (
  line: string,
): { readonly account: string; readonly cid: number } | undefined => {
  const account = VIOLATION.exec(line)?.[1];
  return account === undefined ? undefined : { account, cid: Number(/ - cid:(\d+)/.exec(line)?.[1]) };
};

/**
 * What the server refused, by a line of its output: a subject that a credential does not allow, a limit, a credential
 * that it does not know. The broker hears of these in no other way. Undefined for every other line.
 */
export const serverRefusal = (line: string): RefusedRequest | undefined => {
  const violation = VIOLATION.exec(line);
  if (violation !== null) {
    const [, principal = '', act, subject = ''] = violation;
    const verb = act === 'Publish' ? 'publish' : 'subscribe';
    return {
      principal,
      code: 'NOT_ALLOWED',
      target: unquoted(subject),
      detail: `the server refused to ${verb}`,
    };
  }
  const met = MAXIMUM.exec(line);
  if (met !== null) {
    const [, principal = '', what = ''] = met;
    return { principal, code: 'OVERLOADED', target: 'a connection', detail: `the server: ${what}` };
  }
  const bad = BAD_CREDENTIAL.exec(line);
  if (bad === null) return undefined;
  return {
    principal: BY_UNKNOWN,
    code: 'SERVER_REFUSED',
    target: 'a connection',
    // The server writes what a client gave for a name. Of other forms nothing is kept: they could be a secret.
    detail:
      `the server does not know the credential ${/^(?:Nkey|User) "/.test(bad[1] ?? '') ? bad[1] : ''}`.trim(),
  };
};
