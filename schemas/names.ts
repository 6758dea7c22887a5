import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { type Fault, fault } from './errors.js';

/**
 * The grammar of every name that becomes a subject part, a consumer, an account or a path: modules, actions, events
 * and agents. It is narrow on purpose: a name has no dot, wildcard, blank or separator.
 */
export const NAME_PATTERN = '^[A-Za-z0-9_-]{1,64}$';

const NAME = new RegExp(NAME_PATTERN);

/** The pattern of {@link isProducerName} without its ends: identities begin with one. */
export const PRODUCER_PATTERN = '[A-Za-z0-9_-]{1,64}(?:~[A-Za-z0-9_-]{1,64})?';

const PRODUCER = new RegExp(`^${PRODUCER_PATTERN}$`);

/** Names of the broker and its people. No module may have one, because senders and producers share them. */
export const RESERVED_NAMES: ReadonlySet<string> = new Set([
  'CORE',
  'SYS',
  'broker',
  'gateway',
  'guest',
  'operator',
  'scheduler',
]);

/** Replaces a part of a subject that is no name. No module may have this name. */
export const INVALID_PART = '_';

/** Whether a text is a name: 1 to 64 of A-Z a-z 0-9 _ -. */
export const isName = (text: string): boolean => NAME.test(text);

/** A module's name: not reserved, and not beginning with `_`, which belongs to the broker. */
export const isModuleName = (text: string): boolean =>
  isName(text) && !text.startsWith('_') && !RESERVED_NAMES.has(text);

/**
 * Begins the account of a principal, and so the sender of its commands: `_ci` is the principal `ci`. No module's name
 * begins with it, so a sender in the log is never mistaken for a module.
 */
export const PRINCIPAL_MARK = '_';

const PRINCIPAL = /^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/;

/** A principal's name: 1 to 63 of the characters of a name, the first a letter or digit, and not reserved. */
export const isPrincipalName = (text: string): boolean => PRINCIPAL.test(text) && !RESERVED_NAMES.has(text);

/** The account of the server that a principal has. */
export const principalAccount = (name: string): string => `${PRINCIPAL_MARK}${name}`;

/** The principal of an account; undefined if the account is no principal's. */
export const principalOf = (account: string): string | undefined =>
  account.startsWith(PRINCIPAL_MARK) && isPrincipalName(account.slice(1)) ? account.slice(1) : undefined;

/** Accounts of people and their programs that need no token. */
export const PEOPLE: ReadonlySet<string> = new Set(['guest', 'operator']);

/** Whether an account is of people and their programs: guest, operator or a principal. It has no epoch. */
export const isPeople = (account: string): boolean =>
  PEOPLE.has(account) || principalOf(account) !== undefined;

/**
 * Separates an account from a name that the account chose. No name contains it, so it makes no collision:
 * `guest~sensor-7` is a producer of the guest, and no module or other account can have that name.
 */
export const OWNER_MARK = '~';

const PLAIN = /^[!-)+-=?-~]+$/;

/**
 * Whether a part that is no name may still be stored, because its command gets a result: printable ASCII without a
 * wildcard. The server stores any bytes; others would appear in each export and each filter.
 */
export const isPlainPart = (text: string): boolean => PLAIN.test(text);

/** A producer's name: the name of a module or the broker, or `<account>~<name>` of an outside producer. */
export const isProducerName = (text: string): boolean => PRODUCER.test(text);

/** The part itself, or {@link INVALID_PART} if it is no name. */
export const partOrInvalid = (text: string): string => (isName(text) ? text : INVALID_PART);

/** The text if it is a name, else NAME_INVALID. `what` begins the message. */
export const parseName = (what: string, text: string): Either<Fault, string> =>
  isName(text)
    ? right(text)
    : left(fault('NAME_INVALID', `${what} ${JSON.stringify(text)} is not 1 to 64 of A-Z a-z 0-9 _ -`));
