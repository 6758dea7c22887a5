import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nkeys } from 'nats';

/** An nkey user: the server's configuration holds the public half only, the seed goes to who authenticates with it. */
export interface Key {
  readonly publicKey: string;
  /** The secret: `SU…`. */
  readonly seed: string;
}

export const newKey = (): Key => {
  const pair = nkeys.createUser();
  return { publicKey: pair.getPublicKey(), seed: new TextDecoder().decode(pair.getSeed()) };
};

const fromSeed = (seed: string): Key => ({
  publicKey: nkeys.fromSeed(new TextEncoder().encode(seed)).getPublicKey(),
  seed,
});

/**
 * Keys of the broker and the operator live as long as the data directory, one file each, readable by its owner only.
 * `path(name)` is what `NATS_NKEY` of the `nats` command line takes.
 */
export class KeyStore {
  constructor(private readonly dir: string) {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
  }

  path(name: string): string {
    return join(this.dir, `${name}.nk`);
  }

  /** The key of that name, made at first use. */
  get(name: string): Key {
    try {
      return fromSeed(readFileSync(this.path(name), 'utf8').trim());
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return this.renew(name);
    }
  }

  /** Replaces the key: whoever holds the old one is out once the server has read the new configuration. */
  renew(name: string): Key {
    const key = newKey();
    writeFileSync(this.path(name), `${key.seed}\n`, { mode: 0o600 });
    return key;
  }
}
