import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import * as E from 'fp-ts/lib/Either.js';

/** The limit for keys, credentials and addresses, which are small files. */
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
  ENOTDIR: 'a part of the path is not a directory',
  EACCES: 'this user may not read it',
  EPERM: 'this user may not read it',
  ELOOP: 'its symbolic links form a circle',
  ENAMETOOLONG: 'the path is too long',
  ENXIO: 'it is a socket or a pipe, not a file',
  ERR_INVALID_ARG_VALUE: 'the path has an invalid character',
};

/** The problem of a file, in words that follow its path. */
const why = (error: unknown): string => {
  const { code = '', message } = error as NodeJS.ErrnoException;
  return Object.hasOwn(WORDS, code) ? (WORDS[code] as string) : message;
};

/**
 * Reads at most one byte more than the limit. So a file is bounded that grows while it is read, or that reports no
 * size.
 */
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
 * Reads a file that a person or a module named, at once and bounded. It refuses a pipe, a device, a directory, a
 * socket, and a file of more than `maxBytes`, and waits for none of them. Left: the problem, in words.
 */
export const readBounded = (path: string, maxBytes: number): E.Either<string, Buffer> => {
  let fd: number | undefined;
  try {
    // The flag lets it open a pipe without a writer, too.
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
    const stats = fstatSync(fd);
    if (!stats.isFile()) return E.left(`it is ${kindOf(stats)}, not a file`);
    if (stats.size > maxBytes) return E.left(`it has ${stats.size} bytes; at most ${maxBytes} are allowed`);
    const bytes = readUpTo(fd, stats.size, maxBytes);
    return bytes.length > maxBytes ? E.left(`it has more than ${maxBytes} bytes`) : E.right(bytes);
  } catch (error) {
    return E.left(why(error));
  } finally {
    if (fd !== undefined) closeSync(fd);
  }
};
