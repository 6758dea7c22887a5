import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import * as E from 'fp-ts/lib/Either.js';

/** A key, a credential, an address: small files that people keep. */
export const MAX_KEY_BYTES = 65_536;

const CHUNK_BYTES = 65_536;

const kindOf = (stats: Stats): string => {
  if (stats.isDirectory()) return 'a directory';
  if (stats.isFIFO()) return 'a pipe';
  if (stats.isSocket()) return 'a socket';
  return 'a device';
};

const WORDS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  ENOTDIR: 'a part of the path is no directory',
  EACCES: 'this user may not read it',
  EPERM: 'this user may not read it',
  ELOOP: 'its symbolic links go in a circle',
  ENAMETOOLONG: 'the path is too long',
  ENXIO: 'it is a socket or a pipe, not a file',
  ERR_INVALID_ARG_VALUE: 'the path has a character that no path can have',
};

/** What went wrong with a file, in words that can stand behind its path. */
const why = (error: unknown): string => {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return Object.hasOwn(WORDS, code) ? (WORDS[code] as string) : message;
};

/** Up to one byte more than the limit: what grows while it is read, or says of itself that it is empty, is bounded too. */
const readUpTo = (fd: number, size: number, maxBytes: number): Buffer => {
  const chunks: Buffer[] = [];
  let read = 0;
  while (read <= maxBytes) {
    const chunk = Buffer.allocUnsafe(Math.min(Math.max(CHUNK_BYTES, size + 1 - read), maxBytes + 1 - read));
    const bytes = readSync(fd, chunk, 0, chunk.length, null);
    if (bytes === 0) break;
    chunks.push(chunk.subarray(0, bytes));
    read += bytes;
  }
  return Buffer.concat(chunks, read);
};

/**
 * Reads a file that a person or a module has named. At once and bounded, whatever the path is: a pipe, a device, a directory,
 * a socket and a file of more than `maxBytes` are refused, and none of them is waited for. Left: what is wrong, in words.
 */
export const readBounded = (path: string, maxBytes: number): E.Either<string, Buffer> => {
  let fd: number | undefined;
  try {
    // A pipe that nobody writes into is opened all the same.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    const stats = fstatSync(fd);
    if (!stats.isFile()) return E.left(`it is ${kindOf(stats)}, not a file`);
    if (stats.size > maxBytes) return E.left(`it has ${stats.size} bytes, and ${maxBytes} are allowed`);
    const bytes = readUpTo(fd, stats.size, maxBytes);
    return bytes.length > maxBytes ? E.left(`it has more than ${maxBytes} bytes`) : E.right(bytes);
  } catch (error) {
    return E.left(why(error));
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
};
