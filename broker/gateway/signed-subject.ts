import * as E from 'fp-ts/lib/Either.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { isPeople } from '../../schemas/names.js';
import type { ModuleDirectory } from './directory.js';

/**
 * What people send to the broker, `<verb>.<subject>.<sender>`: the server wrote the sender; see
 * broker/access/accounts.ts.
 */
export interface SignedSubject {
  readonly subject: string;
  /** The account that sends. */
  readonly sender: string;
}

/** Reads who sends. CALLER_FORBIDDEN where the last part names no account. */
export const readSigned = (
  text: string,
  directory: Pick<ModuleDirectory, 'find'>,
): E.Either<Fault, SignedSubject> => {
  const first = text.indexOf('.');
  const last = text.lastIndexOf('.');
  const sender = text.slice(last + 1);
  return isPeople(sender) || directory.find(sender) !== undefined
    ? E.right({ subject: text.slice(first + 1, Math.max(first + 1, last)), sender })
    : E.left(fault('CALLER_FORBIDDEN', `${JSON.stringify(sender)} is the name of no account`));
};
