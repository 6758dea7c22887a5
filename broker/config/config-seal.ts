import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { messageOf } from '../../text/thrown-message.js';
import { MAX_KEY_BYTES, readBounded } from '../../system/files/bounded-file.js';
import { replaceFileSync } from '../../system/files/durable-file.js';
import { makeDirs } from '../../system/files/make-dirs.js';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Where a secret belongs. A sealed text of another place does not open: nobody can move it there. */
export interface SealedPlace {
  readonly module: string;
  readonly key: string;
}

const placeBytes = ({ module, key }: SealedPlace): Buffer =>
  Buffer.from(`tallystick config\n${module}\n${key}`);

/** The path of the key, in a data directory. */
export const configKeyPath = (dataDir: string): string => join(dataDir, 'keys', 'config.key');

const parseKey = (path: string): E.Either<string, Buffer> => {
  const read = readBounded(path, MAX_KEY_BYTES);
  if (E.isLeft(read)) return read;
  const text = read.right.toString('utf8').trim();
  const key = Buffer.from(text, 'base64');
  return key.length === KEY_BYTES && key.toString('base64') === text
    ? E.right(key)
    : E.left(`it has no key of ${KEY_BYTES} bytes in base64`);
};

/** Seals and opens the secrets of modules with the key of the data directory. */
export class ConfigSeal {
  #key: Buffer | undefined;

  private constructor(private readonly path: string) {}

  /**
   * The key is made with the first secret. DATA_DIR_UNUSABLE: a key that is needed is not there, or is damaged. Another
   * key would open no secret, and would take the place of one that an operator can put back.
   */
  static open(dataDir: string, isNeeded: boolean): E.Either<Fault, ConfigSeal> {
    const path = configKeyPath(dataDir);
    const seal = new ConfigSeal(path);
    if (!existsSync(path) && !isNeeded) return E.right(seal);
    const key = parseKey(path);
    if (E.isLeft(key)) {
      const what = `${path} has no key for the secrets of modules: ${key.left}. Put a copy of it back.`;
      const else_ = `Or remove the entries with \`sealed\` from ${join(dirname(dirname(path)), 'config.json')}, and set those keys again`;
      return E.left(fault('DATA_DIR_UNUSABLE', `${what} ${else_}`));
    }
    seal.#key = key.right;
    return E.right(seal);
  }

  /** DATA_DIR_UNUSABLE: the key cannot be written. */
  seal(place: SealedPlace, text: string): E.Either<Fault, string> {
    return E.tryCatch(
      () => {
        const nonce = randomBytes(NONCE_BYTES);
        const cipher = createCipheriv(CIPHER, this.#madeKey(), nonce);
        cipher.setAAD(placeBytes(place));
        const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
        return Buffer.concat([nonce, cipher.getAuthTag(), sealed]).toString('base64');
      },
      (error) =>
        fault(
          'DATA_DIR_UNUSABLE',
          `${this.path} cannot be written: ${messageOf(error)}; nothing was changed`,
        ),
    );
  }

  /** CONFIG_INVALID: it was sealed with another key, for another place, or it was changed. */
  open(place: SealedPlace, sealed: string): E.Either<Fault, string> {
    const bytes = Buffer.from(sealed, 'base64');
    return E.tryCatch(
      () => {
        const opener = createDecipheriv(CIPHER, this.#madeKey(), bytes.subarray(0, NONCE_BYTES), {
          authTagLength: TAG_BYTES,
        });
        opener.setAAD(placeBytes(place));
        opener.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
        const text = opener.update(bytes.subarray(NONCE_BYTES + TAG_BYTES));
        return Buffer.concat([text, opener.final()]).toString('utf8');
      },
      () =>
        fault(
          'CONFIG_INVALID',
          `the stored secret ${place.module}.${place.key} cannot be opened: it is damaged, or it is of another data ` +
            `directory. Put a copy of config.json back, or type \`tallystick config set ${place.module} ${place.key}\``,
        ),
    );
  }

  #madeKey(): Buffer {
    if (this.#key !== undefined) return this.#key;
    const key = randomBytes(KEY_BYTES);
    makeDirs(dirname(this.path));
    // It is on the disk before the first secret that needs it.
    replaceFileSync(this.path, `${key.toString('base64')}\n`);
    this.#key = key;
    return key;
  }
}
