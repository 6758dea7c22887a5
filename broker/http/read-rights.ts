import * as E from 'fp-ts/lib/Either.js';
import type { Grant } from '../../schemas/grants.js';
import type { GuestLevel } from '../../schemas/guest.js';
import type { ReadRights } from '../../schemas/http-process.js';
import type { JsonSchema } from '../../schemas/validate.js';
import { sensitiveText } from '../../store/snapshots/state-reply.js';
import type { KnownPrincipal } from '../access/principals.js';
import type { LimitsInForce } from '../serving/limits-in-force.js';

export interface RightsContext {
  readonly guest: GuestLevel;
  readonly operatorKey: string;
  readonly principals: {
    readonly current: () => readonly KnownPrincipal[];
    readonly judged: (account: string) => KnownPrincipal | undefined;
  };
  /** The limits of accounts without a token. */
  readonly limitsFor: (account: string) => LimitsInForce;
  readonly directory: { readonly find: (module: string) => unknown };
  readonly marks: (module: string) => readonly JsonSchema[];
  /** The keys of a module that encrypts its states. */
  readonly sealing: { readonly keysOf: (module: string) => E.Either<unknown, string | undefined> };
  readonly dataDir: string;
  readonly maxBytes: () => number;
}

const EVERYTHING: readonly Grant[] = [{ method: 'read', parts: ['*'] }];

interface Reader {
  readonly grants: readonly Grant[];
  readonly limits: LimitsInForce;
  readonly untilMs: number | null;
}

const readerBy = (
  { guest, operatorKey, principals, limitsFor }: RightsContext,
  publicKey: string | null,
): Reader | undefined => {
  if (publicKey === null)
    return guest === 'off' ? undefined : { grants: EVERYTHING, limits: limitsFor('guest'), untilMs: null };
  if (publicKey === operatorKey) return { grants: EVERYTHING, limits: limitsFor('operator'), untilMs: null };
  const account = principals.current().find((each) => each.publicKey === publicKey)?.account;
  const found = account === undefined ? undefined : principals.judged(account);
  if (found === undefined) return undefined;
  return {
    grants: found.rights.filter(({ method }) => method === 'read' || method === 'operate'),
    limits: found.limits,
    untilMs: Number.isFinite(found.expiresMs) ? found.expiresMs : null,
  };
};

/**
 * What the process that serves HTTP may read of a module for a principal, by memory map. Undefined: it must ask for
 * each state, since the account has a limit of requests, the module encrypts its states, or there are no such rights.
 */
export const readRights =
  (context: RightsContext) =>
  (publicKey: string | null, module: string): ReadRights | undefined => {
    const reader = readerBy(context, publicKey);
    if (reader === undefined || reader.grants.length === 0) return undefined;
    const { rate, bytes } = reader.limits;
    if (Number.isFinite(rate) || Number.isFinite(bytes)) return undefined;
    const { directory, sealing, marks, dataDir, maxBytes } = context;
    if (directory.find(module) === undefined) return undefined;
    const keys = sealing.keysOf(module);
    if (E.isLeft(keys) || keys.right !== undefined) return undefined;
    return {
      grants: reader.grants,
      untilMs: reader.untilMs,
      sensitive: sensitiveText(marks(module)),
      dataDir,
      maxBytes: maxBytes(),
    };
  };
