import { AUDITED_CODES, type AuditedCode } from '../../schemas/audit-record.js';
import type { Fault } from '../../schemas/errors.js';
import type { RefusedRequest } from './refusal-folds.js';

/** What people type, by the first part of the subject that the broker hears. */
const TYPED: Readonly<Record<string, string>> = { ask: 'call', send: 'cmd', discover: '$SRV' };

const isAudited = (code: string): code is AuditedCode => (AUDITED_CODES as readonly string[]).includes(code);

/**
 * The refusal of a request to the broker, `<verb>.<subject>.<account>`; undefined if it is none for the audit: a
 * payload that cannot be read is a mistake of its sender.
 */
export const refusedRequest = (subject: string, { code, message }: Fault): RefusedRequest | undefined => {
  if (!isAudited(code)) return undefined;
  const first = subject.indexOf('.');
  const last = subject.lastIndexOf('.');
  const verb = subject.slice(0, first);
  const asked = Object.hasOwn(TYPED, verb) ? TYPED[verb] : verb;
  return {
    principal: subject.slice(last + 1),
    code,
    target: `${asked}${subject.slice(first, last)}`,
    detail: message,
  };
};
