import { type AskedRight, type Method, missingGrant } from '../schemas/grants.js';
import type { Fault } from '../schemas/errors.js';
import { isClientError } from './client-error.js';

/** The first token of what a client publishes, by the method that allows it. */
const METHOD: Readonly<Record<string, Method>> = {
  call: 'call',
  cmd: 'send',
  schedule: 'schedule',
  producer: 'produce',
};

const askedOf = (subject: string): AskedRight | undefined => {
  const [first = '', ...tokens] = subject.split('.');
  const method = Object.hasOwn(METHOD, first) ? METHOD[first] : undefined;
  if (method === undefined) return undefined;
  return { method, tokens: method === 'produce' ? ['NAME'] : tokens };
};

/** NOT_ALLOWED with the missing grant, if the server refused a request for its subject. It had no effect. */
export const refusedByServer = (thrown: unknown): Fault | undefined => {
  const cause = isClientError(thrown, 'RequestError') ? (thrown.cause ?? thrown) : thrown;
  if (!isClientError(cause, 'PermissionViolationError')) return undefined;
  const asked = askedOf(cause.subject);
  return asked === undefined ? undefined : missingGrant('this connection', 'NAME', asked);
};
