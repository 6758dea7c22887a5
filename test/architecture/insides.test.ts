import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { PROJECT_ROOT } from '../support/project-root.js';
import { sourceFiles } from './source-files.js';

const text = (path: string): string => readFileSync(join(PROJECT_ROOT, path), 'utf8');

interface Use {
  readonly name: string;
  readonly version: string;
  readonly where: string;
  readonly test: string;
}

const uses: readonly Use[] = text('docs/internals/insides.md')
  .split('\n')
  .filter((line) => line.startsWith('| ') && !line.startsWith('| Package'))
  .map((line) => {
    const [, name = '', version = '', , where = '', , , test = ''] = line
      .split('|')
      .map((cell) => cell.trim());
    return { name, version, where, test };
  });

const packageJson = JSON.parse(text('package.json')) as { readonly dependencies: Record<string, string> };

/** nats-core comes with the transport for Node, which asks for exactly its own version of it. */
const pinned = (name: string): string | undefined =>
  name === '@nats-io/nats-core'
    ? packageJson.dependencies.nats?.replace('npm:@nats-io/transport-node@', '')
    : packageJson.dependencies[name];

/** Names that only the inside of one of these packages has. */
const INSIDE =
  /\b_rdata\b|\b_msg\b|\b_headers\b|\.protocol\b|\bnativeAddon\b|\bgetBinaryFast\b|_getActiveHandles/;

describe('insides of other packages that we use', () => {
  it('each is pinned to the one version that the table names, and that version is installed', () => {
    assert.ok(uses.length > 5);
    for (const { name, version } of uses) {
      const installed = JSON.parse(text(`node_modules/${name}/package.json`)) as { readonly version: string };
      assert.deepEqual([name, pinned(name), installed.version], [name, version, version]);
    }
  });

  it('the files and tests that the table names exist', () => {
    for (const { where, test } of uses) {
      for (const path of [where, test]) assert.ok(existsSync(join(PROJECT_ROOT, path)), path);
    }
  });

  it('no other file of the product uses them', () => {
    const files = sourceFiles(PROJECT_ROOT)
      .filter((file) => !file.path.startsWith('test/') && INSIDE.test(file.text))
      .map(({ path }) => path);
    assert.deepEqual(files.toSorted(), [
      // A message that our own reader of the wire makes, in the form of the client's.
      'broker/intake/incoming.ts',
      'link/client-insides.ts',
      'store/lmdb/lmdb-insides.ts',
      // By the type that lmdb-js gives it.
      'store/snapshots/snapshot-store.ts',
      'system/processes/fail-point.ts',
    ]);
  });
});
