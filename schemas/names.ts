import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { type Fault, fault } from './errors.js';

/**
 * The grammar of every name that becomes a subject token, a consumer, an account or a path:
 * modules, actions, events and agents. Narrow on purpose: no dot, wildcard, blank or separator can get through.
 */
export const NAME_PATTERN = '^[A-Za-z0-9_-]{1,64}$';

const NAME = new RegExp(NAME_PATTERN);

/** As {@link isProducerName} has it, without its ends: identities begin with one. */
export const PRODUCER_PATTERN = '[A-Za-z0-9_-]{1,64}(?:~[A-Za-z0-9_-]{1,64})?';

const PRODUCER = new RegExp(`^${PRODUCER_PATTERN}$`);

/** Names that stand for the broker and its people; a module cannot take one, since senders and producers share them. */
export const RESERVED_NAMES: ReadonlySet<string> = new Set([
  'CORE',
  'SYS',
  'broker',
  'gateway',
  'guest',
  'operator',
  'scheduler',
]);

/** What stands in a subject where a token of the original was no name; itself a name that no module may take. */
export const INVALID_TOKEN = '_';

export const isName = (text: string): boolean => NAME.test(text);

/** A module's name: a name that is not reserved and does not begin with `_`, which belongs to the broker. */
export const isModuleName = (text: string): boolean =>
  isName(text) && !text.startsWith('_') && !RESERVED_NAMES.has(text);

/**
 * Parts an account from a name that it chose itself. It is in no name, so what bears it collides with nothing else that
 * names become: `guest~sensor-7` is a producer of the guest, and no module or other account can take it.
 */
export const OWNER_MARK = '~';

const PLAIN = /^[!-)+-=?-~]+$/;

/**
 * Whether a token that is no name may stand in the log all the same, where its command is answered: printable ASCII without a
 * wildcard. The server stores any bytes; others would be in each export, and in each filter.
 */
export const isPlainToken = (text: string): boolean => PLAIN.test(text);

/** A producer's name: a module's or the broker's own, or `<account>~<name>` of a program outside. */
export const isProducerName = (text: string): boolean => PRODUCER.test(text);

/** The token itself, or {@link INVALID_TOKEN} when it is no name. */
export const tokenOrInvalid = (text: string): string => (isName(text) ? text : INVALID_TOKEN);

export const parseName = (what: string, text: string): Either<Fault, string> =>
  isName(text)
    ? right(text)
    : left(fault('NAME_INVALID', `${what} ${JSON.stringify(text)} is not 1 to 64 of A-Z a-z 0-9 _ -`));
