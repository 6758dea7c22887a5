import { closeSync, fsyncSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { newUserKey } from '../../link/nkey.js';
import { tokenText } from '../../link/token-file.js';
import { type Fault, fault } from '../../schemas/errors.js';

/** Where the token goes, and what it is for. */
export interface NewToken {
  readonly name: string;
  readonly url: string;
  readonly path: string;
  /** Replace an existing file. */
  readonly isReplaced: boolean;
}

const unwritable = (path: string, error: unknown): Fault => {
  const { code, message } = error as NodeJS.ErrnoException;
  return code === 'EEXIST'
    ? fault(
        'OUTPUT_FAILED',
        `${path} exists, and a token may be in it: remove it, or name another file with --out`,
      )
    : fault('OUTPUT_FAILED', `the token cannot be written to ${path}: ${message}`);
};

/** Only its owner reads it from the first moment on, and no link that was there leads it elsewhere (O_EXCL). */
const writeNew = (path: string, text: string): Either<Fault, void> => {
  try {
    const file = openSync(path, 'wx', 0o600);
    try {
      writeSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    return right(undefined);
  } catch (error) {
    return left(unwritable(path, error));
  }
};

/**
 * Makes a key, writes its token, and then asks the broker to accept it. So no token is valid that is in no file. The
 * seed does not leave this machine: the broker gets the public key. If the broker refuses, the file is removed.
 */
export const withNewToken =
  <A>(
    { name, url, path, isReplaced }: NewToken,
    accept: (publicKey: string) => TaskEither<Fault, A>,
  ): TaskEither<Fault, A> =>
  async () => {
    const { publicKey, seed } = newUserKey();
    const target = resolve(path);
    const place = isReplaced ? `${target}.new` : target;
    if (isReplaced) rmSync(place, { force: true });
    const written = writeNew(place, tokenText(name, { url, seed }));
    if (isLeft(written)) return written;
    const accepted = await accept(publicKey)();
    if (isLeft(accepted)) rmSync(place, { force: true });
    else if (isReplaced) renameSync(place, target);
    return accepted;
  };
