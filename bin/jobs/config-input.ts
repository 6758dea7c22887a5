import { isUtf8 } from 'node:buffer';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { MAX_CONFIG_VALUE_BYTES } from '../../schemas/module-config.js';
import { readBounded } from '../../system/files/bounded-file.js';
import { askHidden } from '../output/ask-hidden.js';
import { canAsk } from '../output/ask-yes.js';

/** Where the value of a key may come from. */
export interface ConfigInput {
  /** MODULE.KEY */
  readonly named: string;
  readonly isSecret: boolean;
  /** What was typed as an argument. */
  readonly typed: string | undefined;
  readonly fromFile: string | undefined;
}

const usage = (message: string): Either<Fault, never> => left(fault('USAGE', message));

/** A file of one line ends with a line break, and a secret does not. */
const asText = (bytes: Buffer, from: string): Either<Fault, string> => {
  if (!isUtf8(bytes)) return usage(`${from} is not UTF-8`);
  return right(bytes.toString('utf8').replace(/\r?\n$/, ''));
};

const readInput = async (): Promise<Either<Fault, string>> => {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of process.stdin) {
    chunks.push(chunk as Buffer);
    size += (chunk as Buffer).length;
    if (size > MAX_CONFIG_VALUE_BYTES)
      return usage(`standard input has more than ${MAX_CONFIG_VALUE_BYTES} bytes`);
  }
  return asText(Buffer.concat(chunks), 'standard input');
};

const readFrom = (file: string): Either<Fault, string> => {
  const read = readBounded(file, MAX_CONFIG_VALUE_BYTES);
  return isLeft(read) ? usage(`--from-file: ${file}: ${read.left}`) : asText(read.right, file);
};

/**
 * The text of a value: the argument, a file, standard input, or what a person types. A secret is taken from no
 * argument: every user of the machine can read the arguments of a process, and the shell keeps them.
 */
export const configInput =
  ({ named, isSecret, typed, fromFile }: ConfigInput): TaskEither<Fault, string> =>
  async () => {
    if (typed !== undefined && isSecret)
      return usage(
        `${named} is a secret, so nothing was done: leave the value out, and the command asks for it, or reads it ` +
          'from standard input or --from-file. The value that you typed may be in the history of your shell',
      );
    if (typed !== undefined && fromFile !== undefined) return usage('give a value or --from-file, not both');
    if (typed !== undefined) return right(typed);
    if (fromFile !== undefined && fromFile !== '-') return readFrom(fromFile);
    if (fromFile === '-' || process.stdin.isTTY !== true) return readInput();
    if (!canAsk()) return usage(`${named} needs a value: an argument, standard input or --from-file`);
    const answer = await askHidden(`${named}${isSecret ? ' (not shown)' : ''}`);
    return answer === undefined ? usage('no value was given; nothing was changed') : right(answer);
  };
