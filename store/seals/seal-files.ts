import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fstatSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { type Fault, FaultError, fault } from '../../schemas/errors.js';
import { makeFileOnce, replaceFileSync } from '../../system/files/durable-file.js';
import { makeDirs } from '../../system/files/make-dirs.js';
import { failPoint } from '../../system/processes/fail-point.js';
import { KeyTree, type TreeText } from './key-tree.js';

/** In the data directory: a file of keys for each module that encrypts. */
const DIR = 'seals';
/** The key of these files: they alone, in a backup say, open nothing. */
const MASTER = join('keys', 'seals.key');
/** For each such module: it has keys. If they are lost, no others are made silently. */
const MARKER = '.sealed';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const CIPHER = 'aes-256-gcm';

/** Which bytes a file has: another process may have replaced it. */
export type SealFileMark = string;

const unusable = (path: string, why: string): FaultError =>
  new FaultError(
    fault(
      'DATA_DIR_UNUSABLE',
      `${path} has no keys of agents: ${why}. Put a copy of it back, or erase the agents`,
    ),
  );

/** The files that have the keys of agents. All of it throws FaultError, and what the file system throws. */
export class SealFiles {
  readonly #dir: string;
  readonly #master: string;
  readonly #markers: string;

  constructor(dataDir: string) {
    this.#dir = join(dataDir, DIR);
    this.#master = join(dataDir, MASTER);
    this.#markers = join(dataDir, dirname(MASTER));
  }

  /** Modules that have keys here. */
  get modules(): readonly string[] {
    if (!existsSync(this.#dir)) return [];
    return readdirSync(this.#dir).flatMap((name) => (/^[\w-]+\.json$/.test(name) ? [name.slice(0, -5)] : []));
  }

  /** Undefined: the module has no keys. */
  mark(module: string): SealFileMark | undefined {
    const found = statSync(this.#path(module), { bigint: true, throwIfNoEntry: false });
    return found === undefined ? undefined : `${found.ino}.${found.mtimeNs}.${found.size}`;
  }

  /** The keys of a module; undefined if it has none. */
  read(module: string): TreeText | undefined {
    const path = this.#path(module);
    if (!existsSync(path)) return undefined;
    try {
      return this.#unwrapped(module, readFileSync(path, 'utf8'));
    } catch (error) {
      throw unusable(path, (error as Error).message);
    }
  }

  /** The keys of a module, made if it has none. They are on the disk when it returns. */
  make(module: string): TreeText {
    const known = this.read(module);
    const marker = join(this.#markers, `${module}${MARKER}`);
    if (known === undefined && existsSync(marker))
      throw new FaultError(
        fault('SEALED', `${this.#path(module)} is missing: it has the keys of all agents of ${module}`),
      );
    const tree = known ?? this.#made(module);
    makeFileOnce(marker, `${tree.id}\n`);
    return tree;
  }

  #made(module: string): TreeText {
    makeDirs(this.#dir);
    if (!existsSync(this.#master)) {
      // Another key would open none of the files, and overwrite them at the next erasure.
      if (this.modules.length > 0) throw unusable(this.#master, 'it is missing');
      makeFileOnce(this.#master, `${randomBytes(KEY_BYTES).toString('base64')}\n`);
    }
    makeFileOnce(this.#path(module), this.#wrapped(module, KeyTree.make().text));
    return this.read(module) as TreeText;
  }

  /**
   * Removes the key of an agent. Killed at any point, it has removed the key or not; once it returns, the key is in no
   * file, and its bytes on the disk are overwritten as far as the file system lets a program do so.
   */
  erase(module: string, agent: string): TreeText | undefined {
    const before = this.read(module);
    if (before === undefined) return undefined;
    const tree = KeyTree.read(before);
    const after = tree.without(agent).text;
    tree.forget();
    const path = this.#path(module);
    this.finish(module);
    linkSync(path, oldOf(path));
    failPoint('erase.replacing');
    replaceFileSync(path, this.#wrapped(module, after));
    failPoint('erase.replaced');
    this.finish(module);
    failPoint('erase.shredded');
    return after;
  }

  /** Overwrites the file that an erasure has replaced, if a kill came before it was done. */
  finish(module: string): void {
    const path = this.#path(module);
    const old = oldOf(path);
    const left = statSync(old, { throwIfNoEntry: false });
    if (left === undefined) return;
    // The erasure was killed before it replaced the file: the two names are one file, which is the keys.
    if (left.ino !== statSync(path).ino) shred(old);
    rmSync(old, { force: true });
    syncDir(dirname(path));
  }

  #path(module: string): string {
    return join(this.#dir, `${module}.json`);
  }

  #key(): Buffer {
    const key = Buffer.from(readFileSync(this.#master, 'utf8'), 'base64');
    if (key.length !== KEY_BYTES) throw new Error(`${this.#master} is no key`);
    return key;
  }

  #wrapped(module: string, tree: TreeText): string {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.#key(), nonce);
    cipher.setAAD(Buffer.from(module));
    const bytes = [nonce, cipher.update(JSON.stringify(tree)), cipher.final(), cipher.getAuthTag()];
    return `${JSON.stringify({ version: 1, module, keys: Buffer.concat(bytes).toString('base64') })}\n`;
  }

  #unwrapped(module: string, text: string): TreeText {
    const { version, keys } = JSON.parse(text) as { readonly version?: unknown; readonly keys?: unknown };
    if (version !== 1 || typeof keys !== 'string') throw new Error('it is no file of keys of version 1');
    const bytes = Buffer.from(keys, 'base64');
    const decipher = createDecipheriv(CIPHER, this.#key(), bytes.subarray(0, NONCE_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(Buffer.from(module));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    const plain = [decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()];
    return JSON.parse(Buffer.concat(plain).toString('utf8')) as TreeText;
  }
}

const oldOf = (path: string): string => `${path}.old`;

const syncDir = (dir: string): void => {
  const fd = openSync(dir, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
};

const shred = (path: string): void => {
  const fd = openSync(path, 'r+');
  try {
    writeSync(fd, Buffer.alloc(fstatSync(fd).size), 0, undefined, 0);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
};

/** Damaged keys are a fault like another for those who ask. */
export const tryKeys = <T>(work: () => T): E.Either<Fault, T> =>
  E.tryCatch(work, (thrown) =>
    thrown instanceof FaultError
      ? thrown.fault
      : fault(
          'DATA_DIR_UNUSABLE',
          `the keys of agents cannot be read or written: ${(thrown as Error).message}`,
        ),
  );
