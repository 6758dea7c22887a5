import { randomBytes } from 'node:crypto';
import { fstatSync, type Stats, write as writeFd } from 'node:fs';
import {
  access,
  constants,
  type FileHandle,
  lstat,
  open,
  readlink,
  realpath,
  rename,
  rm,
  stat,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { FaultError, fault } from '../../schemas/errors.js';

const WORDS: Readonly<Record<string, string>> = {
  ENOSPC: 'its disk is full',
  EDQUOT: 'the quota of this user is used up',
  EACCES: 'this user may not write it',
  EPERM: 'this user may not write it',
  EROFS: 'its file system is read-only',
  EISDIR: 'it is a directory',
  ENOENT: 'there is no such directory',
  ENOTDIR: 'a part of the path is not a directory',
  ELOOP: 'its symbolic links form a circle',
  ENAMETOOLONG: 'the path is too long',
  ENXIO: 'no process reads it',
  EPIPE: 'its reader has left',
  ERR_INVALID_ARG_VALUE: 'the path has an invalid character',
};

const failed = (path: string, error: unknown): FaultError => {
  if (error instanceof FaultError) return error;
  const { code = '', message } = error as NodeJS.ErrnoException;
  const why = Object.hasOwn(WORDS, code) ? WORDS[code] : message;
  return new FaultError(fault('OUTPUT_FAILED', `${path} cannot be written: ${why}`));
};

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

const MAX_LINKS = 40;
const PERMISSIONS = 0o7777;
const ANY_WRITE = 0o222;
const COPY_BYTES = 1024 * 1024;

/** The target of a path over all symbolic links, also if it does not exist yet. */
const placeOf = async (path: string, links = 0): Promise<string> => {
  try {
    return await realpath(path);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  const isLink = await lstat(path).then(
    (stats) => stats.isSymbolicLink(),
    () => false,
  );
  const dir = await realpath(dirname(path));
  if (!isLink || links === MAX_LINKS) return join(dir, basename(path));
  return placeOf(resolve(dir, await readlink(path)), links + 1);
};

const statOf = async (path: string): Promise<Stats | undefined> => {
  try {
    return await stat(path);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
};

/** Standard output or error of this process, if it is the same file: its further output follows the written bytes. */
const ownOutput = ({ dev, ino }: Stats): number | undefined =>
  [1, 2].find((fd) => {
    try {
      const own = fstatSync(fd);
      return own.dev === dev && own.ino === ino;
    } catch {
      return false;
    }
  });

const writeAll = promisify(writeFd);

/** The way of the bytes to their place. */
interface Way {
  readonly write: (chunk: Uint8Array) => Promise<void>;
  /** All has been written. */
  readonly finish: () => Promise<void>;
  /** After a failure: leaves the old content, as far as possible. */
  readonly abort: () => Promise<void>;
}

const intoHandle =
  (file: FileHandle) =>
  async (chunk: Uint8Array): Promise<void> => {
    for (let at = 0; at < chunk.length; ) at += (await file.write(chunk, at)).bytesWritten;
  };

const intoDescriptor = (fd: number): Way => ({
  write: async (chunk) => {
    for (let at = 0; at < chunk.length; ) at += (await writeAll(fd, chunk, at)).bytesWritten;
  },
  finish: async () => undefined,
  abort: async () => undefined,
});

/** A device or a pipe: it takes bytes, and no file can replace it. */
const through = async (path: string): Promise<Way> => {
  const file = await open(path, constants.O_WRONLY | constants.O_NOCTTY);
  return { write: intoHandle(file), finish: () => file.close(), abort: () => file.close() };
};

const syncDir = async (dir: string): Promise<void> => {
  const handle = await open(dir, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

/** Copies the bytes of the new file into the old one, which has other names, or an owner that this user cannot set. */
const copyInto = async (from: FileHandle, place: string): Promise<void> => {
  const to = await open(place, 'r+');
  try {
    const write = intoHandle(to);
    const buffer = Buffer.allocUnsafe(COPY_BYTES);
    let length = 0;
    for (;;) {
      const { bytesRead } = await from.read(buffer, 0, COPY_BYTES, length);
      if (bytesRead === 0) break;
      await write(buffer.subarray(0, bytesRead));
      length += bytesRead;
    }
    await to.truncate(length);
    await to.sync();
  } finally {
    await to.close();
  }
};

/** Whether the new file now has owner and mode of the old one. */
const takesAfter = async (file: FileHandle, old: Stats): Promise<boolean> => {
  try {
    const own = await file.stat();
    if (own.uid !== old.uid || own.gid !== old.gid) await file.chown(old.uid, old.gid);
    await file.chmod(old.mode & PERMISSIONS);
    return true;
  } catch {
    return false;
  }
};

const openBeside = async (
  place: string,
  mode: number,
  isThere: boolean,
): Promise<{ readonly file: FileHandle; readonly path: string; readonly isBeside: boolean }> => {
  const name = `.${process.pid}.${randomBytes(4).toString('hex')}.part`;
  const nextTo = `${place}${name}`;
  try {
    return { file: await open(nextTo, 'wx+', mode), path: nextTo, isBeside: true };
  } catch (error) {
    if (!isThere) throw error;
    // This user may write the file, but not its directory.
    const elsewhere = join(tmpdir(), `tallystick${name}`);
    return { file: await open(elsewhere, 'wx+', 0o600), path: elsewhere, isBeside: false };
  }
};

/** A regular file, or none yet: written under another name, and renamed when all of it is on the disk. */
const replacing = async (place: string, old: Stats | undefined, mode: number): Promise<Way> => {
  if (old !== undefined) {
    // The superuser may write against the mode; the person who set the mode did not want that.
    if ((old.mode & ANY_WRITE) === 0) throw Object.assign(new Error('read-only'), { code: 'EACCES' });
    await access(place, constants.W_OK);
  }
  const { file, path, isBeside } = await openBeside(place, mode, old !== undefined);
  const drop = async (): Promise<void> => {
    await file.close().catch(() => undefined);
    await rm(path, { force: true });
  };
  return {
    write: intoHandle(file),
    finish: async () => {
      await file.sync();
      const canStand = isBeside && (old === undefined || (old.nlink === 1 && (await takesAfter(file, old))));
      if (!canStand) {
        await copyInto(file, place);
        return drop();
      }
      await file.close();
      await rename(path, place);
      await syncDir(dirname(place));
    },
    abort: drop,
  };
};

const wayTo = async (path: string, mode: number): Promise<Way> => {
  const place = await placeOf(resolve(path));
  const old = await statOf(place);
  if (old?.isDirectory() === true) throw Object.assign(new Error('directory'), { code: 'EISDIR' });
  const own = old === undefined ? undefined : ownOutput(old);
  if (own !== undefined) return intoDescriptor(own);
  return old === undefined || old.isFile() ? replacing(place, old, mode) : through(place);
};

/**
 * A file that a person named as output. A regular file is written as a whole or not at all, and keeps its mode, its
 * owner and its links. Other targets (a device, a pipe, a terminal) are written directly. Every method throws
 * OUTPUT_FAILED with the reason; then the old file stays.
 */
export class OutFile implements AsyncDisposable {
  private constructor(
    private readonly path: string,
    private readonly way: Way,
  ) {}

  /** `mode`: for a new file. */
  static async open(path: string, mode = 0o666): Promise<OutFile> {
    try {
      return new OutFile(path, await wayTo(path, mode));
    } catch (error) {
      throw failed(path, error);
    }
  }

  write(chunk: Uint8Array): Promise<void> {
    return this.#try(() => this.way.write(chunk));
  }

  /** All bytes are written. */
  finish(): Promise<void> {
    return this.#try(() => this.way.finish());
  }

  /** Discards unfinished output. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.way.abort().catch(() => undefined);
  }

  async #try(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      await this[Symbol.asyncDispose]();
      throw failed(this.path, error);
    }
  }
}

/** Writes a text to a file that a person named, as {@link OutFile} does. */
export const writeOut = async (path: string, text: string | Uint8Array): Promise<void> => {
  await using file = await OutFile.open(path);
  await file.write(Buffer.from(text as string));
  await file.finish();
};
