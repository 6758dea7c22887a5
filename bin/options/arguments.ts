import { isUtf8 } from 'node:buffer';
import { readFileSync } from 'node:fs';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { type Fault, fault } from '../../schemas/errors.js';

const REPLACED = '\ufffd';

/** The arguments of this process as bytes; undefined if the system does not give them. */
const commandLine = (): Buffer | undefined => {
  try {
    return readFileSync('/proc/self/cmdline');
  } catch {
    return undefined;
  }
};

/**
 * USAGE if an argument is not UTF-8. Node puts U+FFFD in the place of such bytes, so the command would send something
 * else than you typed. An argument may contain U+FFFD itself.
 */
export const checkArguments = (
  argv: readonly string[] = process.argv,
  bytes: () => Buffer | undefined = commandLine,
): Either<Fault, void> => {
  const bad = argv.find((argument) => argument.includes(REPLACED));
  if (bad === undefined) return right(undefined);
  const typed = bytes();
  if (typed === undefined || isUtf8(typed)) return right(undefined);
  return left(
    fault('USAGE', `${JSON.stringify(bad)} has bytes that are not UTF-8, so nothing was done; pass UTF-8`),
  );
};
