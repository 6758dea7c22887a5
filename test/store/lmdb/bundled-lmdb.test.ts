import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import * as lmdb from 'lmdb';
import { PROJECT_ROOT } from '../../support/project-root.js';
import { tempDir } from '../../support/temp-dir.js';

const fromHere = createRequire(join(PROJECT_ROOT, 'package.json'));
const FILE = fromHere.resolve('lmdb');
const FOLDER = dirname(dirname(FILE));
const fromLmdb = createRequire(FILE);

interface Finder {
  readonly path: (folder: string) => string;
}

interface LmdbAddon {
  readonly usualAddon: (folder: string) => string | undefined;
}

const addon = (await import(pathToFileURL(join(PROJECT_ROOT, 'build', 'lmdb-addon.mjs')).href)) as LmdbAddon;

describe('lmdb as we bundle it', () => {
  it('is what the rest of the process gets', () => {
    const required = fromHere('lmdb') as typeof lmdb;
    assert.equal(required.open, lmdb.open);
    assert.deepEqual(
      Object.keys(required).filter((name) => name !== 'default' && !(name in lmdb)),
      [],
    );
  });

  it('takes the addon that lmdb would find, or lets lmdb find it', () => {
    const found = (fromLmdb('node-gyp-build-optional-packages') as Finder).path(FOLDER);
    assert.ok([found, undefined].includes(addon.usualAddon(FOLDER)), found);
    const isGlibc = process.platform === 'linux' && found.endsWith('.glibc.node');
    if (isGlibc && process.env.LIBC === undefined) assert.equal(addon.usualAddon(FOLDER), found);
  });

  it('lets lmdb find its addon in a folder where it was compiled, and where there is none', async () => {
    await using dir = tempDir();
    assert.equal(addon.usualAddon(dir.path), undefined);
  });

  it('encodes by msgpack for a database that asks for it', async () => {
    await using dir = tempDir();
    const value = { text: 'a', bytes: [1, 2, 3], nested: { none: null } };
    for (const encoding of ['msgpack', 'json'] as const) {
      const db = lmdb.open({ path: join(dir.path, encoding), encoding });
      await db.put('one', value);
      assert.deepEqual(db.get('one'), value);
      await db.close();
    }
  });
});
