import type { NatsConnection } from 'nats';
import { type AskedRight, type Method, missingGrant, missingToken } from '../schemas/grants.js';
import type { Fault } from '../schemas/errors.js';
import { isClientError } from './client-error.js';

/** The first part of what a client publishes, by the method that allows it. */
const METHOD: Readonly<Record<string, Method>> = {
  call: 'call',
  cmd: 'send',
  signal: 'send',
  schedule: 'schedule',
  producer: 'produce',
  state: 'read',
  subscription: 'listen',
};

const askedOf = (subject: string): AskedRight | undefined => {
  const [first = '', ...parts] = subject.split('.');
  const method = Object.hasOwn(METHOD, first) ? METHOD[first] : undefined;
  if (method === undefined) return undefined;
  // The events are not in the subject.
  if (method === 'listen') return { method, parts: ['MODULE', 'EVENT'] };
  return { method, parts: method === 'produce' ? ['NAME'] : parts };
};

const guests = new WeakSet<NatsConnection>();

/** Notes that a connection has no credential, for its refusals. */
export const markGuest = (nc: NatsConnection): void => void guests.add(nc);

/**
 * NOT_ALLOWED with the missing grant, if the server refused a request for its subject. It had no effect. A guest has no
 * token that could get the grant.
 */
export const refusedByServer = (thrown: unknown, nc: NatsConnection): Fault | undefined => {
  const cause = isClientError(thrown, 'RequestError') ? (thrown.cause ?? thrown) : thrown;
  if (!isClientError(cause, 'PermissionViolationError')) return undefined;
  const asked = askedOf(cause.subject);
  if (asked === undefined) return undefined;
  return guests.has(nc) ? missingToken(asked) : missingGrant('this connection', 'NAME', asked);
};
