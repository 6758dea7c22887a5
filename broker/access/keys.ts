import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isLeft } from 'fp-ts/lib/Either.js';
import { newUserKey, publicKeyOf, type UserKey } from '../../link/nkey.js';
import { makeDirs } from '../../system/files/make-dirs.js';
import { FaultError, fault } from '../../schemas/errors.js';
import { MAX_KEY_BYTES, readBounded } from '../../system/files/bounded-file.js';
import { replaceFileSync } from '../../system/files/durable-file.js';

const fromSeed = (seed: string): UserKey => ({ publicKey: publicKeyOf(seed), seed });

/**
 * Keys of the broker and the operator live as long as the data directory, one file each, readable by its owner only.
 * `path(name)` is what `NATS_NKEY` of the `nats` command line takes.
 */
export class KeyStore {
  constructor(private readonly dir: string) {
    makeDirs(dir);
  }

  path(name: string): string {
    return join(this.dir, `${name}.nk`);
  }

  /** The key of that name, made at first use. Throws DATA_DIR_UNUSABLE where the file is there and has none. */
  get(name: string): UserKey {
    const path = this.path(name);
    if (!existsSync(path)) return this.renew(name);
    try {
      const read = readBounded(path, MAX_KEY_BYTES);
      if (isLeft(read)) throw new Error(read.left);
      return fromSeed(read.right.toString('utf8').trim());
    } catch (error) {
      throw new FaultError(
        fault(
          'DATA_DIR_UNUSABLE',
          `${path} has no key: ${(error as Error).message}. Put it back, or remove it: the next start makes another`,
        ),
      );
    }
  }

  /** Replaces the key: the holder of the old one is out once the server has read the new configuration. */
  renew(name: string): UserKey {
    const key = newUserKey();
    // Others are told of it at once: a key that is gone with the power would lock them out.
    replaceFileSync(this.path(name), `${key.seed}\n`);
    return key;
  }
}
