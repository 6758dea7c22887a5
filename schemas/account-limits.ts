import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import Type, { type Static } from 'typebox';
import { type Fault, fault } from './errors.js';
import { isModuleName } from './names.js';
import {
  changedLimits,
  type PrincipalLimits,
  PrincipalLimitsSchema,
  parseLimit,
} from './principal-limits.js';

/** All modules that have no limits under their own name. */
export const ALL_MODULES = 'modules';

/** Limits of accounts without a token, by account: `guest`, `operator`, `modules`, or the name of a module. */
export const AccountLimitsSchema = Type.Record(Type.String(), PrincipalLimitsSchema);

export type LimitsByAccount = Readonly<Static<typeof AccountLimitsSchema>>;

const isAccount = (text: string): boolean => text === 'guest' || text === 'operator' || isModuleName(text);

const invalid = (text: string, why: string): Either<Fault, never> =>
  left(fault('LIMIT_INVALID', `${JSON.stringify(text.slice(0, 256))} is no limit of an account: ${why}`));

/** Reads `guest:rate=200/s`, `operator:open=1000`, `modules:log=50%` or `accounts:rate=500/s`. The last one holds. */
export const parseAccountLimits = (texts: readonly string[]): Either<Fault, LimitsByAccount> => {
  const found: Record<string, PrincipalLimits> = {};
  for (const text of texts) {
    const at = text.indexOf(':');
    const account = text.slice(0, Math.max(0, at)).trim();
    if (!isAccount(account))
      return invalid(
        text,
        'it is WHO:NAME=VALUE, where WHO is guest, operator, modules or the name of a module',
      );
    const parsed = parseLimit(text.slice(at + 1));
    if (isLeft(parsed)) return parsed;
    found[account] = changedLimits(found[account] ?? {}, [parsed.right]);
  }
  return right(found);
};
