import * as E from 'fp-ts/lib/Either.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { allows, type AskedRight, type Method, missingGrant } from '../../schemas/grants.js';
import { parseJson } from '../../schemas/json.js';
import { PRINCIPAL_MARK, principalOf } from '../../schemas/names.js';
import type { Address } from '../../schemas/subjects.js';
import type { KnownPrincipal } from './principals.js';

/** What the broker hears of each method that has an address. */
const METHOD: Readonly<Record<string, Method>> = {
  ask: 'call',
  send: 'send',
  // The name of the signal stands in the place of the action.
  signalling: 'send',
  schedule: 'schedule',
  state: 'read',
};

const producerIn = (data: Uint8Array): string | undefined => {
  const body = parseJson(data);
  if (E.isLeft(body) || typeof body.right !== 'object' || body.right === null) return undefined;
  const { name } = body.right as { readonly name?: unknown };
  return typeof name === 'string' ? name : undefined;
};

/** The right that a request needs; undefined: none, or it is refused for its form. */
const askedBy = (parts: readonly string[], data: Uint8Array): AskedRight | undefined => {
  const [verb = '', ...rest] = parts;
  if (verb === 'producer') {
    const name = producerIn(data);
    return name === undefined ? undefined : { method: 'produce', parts: [name] };
  }
  const method = Object.hasOwn(METHOD, verb) ? METHOD[verb] : undefined;
  return method === undefined ? undefined : { method, parts: rest };
};

/** Tokens that are revoked or over are no users of the server. A request that was on its way may come all the same. */
const over = (who: string, found: KnownPrincipal | undefined): Fault => {
  const why = found === undefined ? 'is revoked' : `was valid until ${found.principal.expires}`;
  return fault('NOT_ALLOWED', `the token of ${who} ${why}. An operator makes another: tallystick token list`);
};

/**
 * Why a principal may not make this request, `<verb>.<subject>.<account>`; undefined if it may. The server has refused
 * most of what the grants do not say. It knows no pattern within a part, and does not look at a clock.
 */
export const judgeRequest = (
  subject: string,
  data: Uint8Array,
  find: (account: string) => KnownPrincipal | undefined,
  now: number,
): Fault | undefined => {
  const parts = subject.split('.');
  const account = parts.pop() ?? '';
  const who = principalOf(account) ?? account;
  const found = find(account);
  if (found === undefined || found.expiresMs <= now) return over(who, found);
  const asked = askedBy(parts, data);
  return asked === undefined || allows(found.rights, asked) ? undefined : missingGrant(who, who, asked);
};

/** Why an account may not change who may do what, although the server let its request through: its token is over. */
export const judgeOperator = (
  account: string,
  principals: { readonly judged: (account: string) => KnownPrincipal | undefined },
  now = Date.now(),
): Fault | undefined => {
  if (!account.startsWith(PRINCIPAL_MARK)) return undefined;
  const found = principals.judged(account);
  return found === undefined || found.expiresMs <= now
    ? over(principalOf(account) ?? account, found)
    : undefined;
};

/** Why a principal may not send a command to an address, and not call it either; undefined if it may. */
export const mayNotSend = (
  account: string,
  { module, name, agent }: Address,
  principals: { readonly judged: (account: string) => KnownPrincipal | undefined },
): Fault | undefined => {
  if (!account.startsWith(PRINCIPAL_MARK)) return undefined;
  const who = principalOf(account) ?? account;
  const found = principals.judged(account);
  if (found === undefined) return over(who, found);
  const parts = [module, name, ...(agent === undefined ? [] : [agent])];
  const may = (['send', 'call'] as const).some((method) => allows(found.rights, { method, parts }));
  return may ? undefined : missingGrant(who, who, { method: 'send', parts });
};
