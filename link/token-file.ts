import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { type Fault, fault } from '../schemas/errors.js';
import { MAX_KEY_BYTES, readBounded } from '../system/files/bounded-file.js';

const SEED = /^SU[A-Z2-7]{56}$/;
const SERVER = /^# server (\S+)$/;

/** Whether a text has the form of a user's seed. */
export const isSeed = (text: string): boolean => SEED.test(text);

/** The seed of a user in a text: the first line that is one. The stock `nats` command line reads a file likewise. */
export const seedIn = (text: string): string | undefined =>
  text
    .split('\n')
    .map((line) => line.trim())
    .find(isSeed);

/** A file with the seed of a principal, and the address of the server that knows it. */
export interface TokenFile {
  readonly url: string;
  readonly seed: string;
}

/** The text of a token file. `nats --nkey FILE` reads it too: it takes the first line that begins like a seed. */
export const tokenText = (name: string, { url, seed }: TokenFile): string =>
  [
    `# Token of the principal ${name}. The holder of this file is ${name}: keep it secret.`,
    `# server ${url}`,
    seed,
    '',
  ].join('\n');

/** Reads a token file. USAGE: it cannot be read, or has no token. */
export const readToken = (path: string): Either<Fault, TokenFile> => {
  const read = readBounded(path, MAX_KEY_BYTES);
  if (isLeft(read)) return left(fault('USAGE', `the token ${path} cannot be read: ${read.left}`));
  const text = read.right.toString('utf8');
  const seed = seedIn(text);
  const url = text
    .split('\n')
    .map((line) => SERVER.exec(line.trim())?.[1])
    .find((found) => found !== undefined);
  if (seed === undefined || url === undefined) {
    const what = seed === undefined ? 'no seed' : 'no line `# server URL`; name the server with --server';
    return left(fault('USAGE', `${path} is no token: it has ${what}`));
  }
  return right({ url, seed });
};
