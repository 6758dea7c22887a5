import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { buildModule } from '../../../modules/bundle/build-module.js';
import { success } from '../../support/either.js';
import { tempDir } from '../../support/temp-dir.js';

const AT_ONCE = 4;

test('a module that several build at the same moment is built once, and each of them has it', async () => {
  await using home = tempDir();
  const file = join(home.path, 'tickets.mjs');
  writeFileSync(
    file,
    `export default { manifest: { name: 'tickets', version: '1.0.0', description: 'sells', actions: {},
      events: { sold: { data: {} } } }, initial: {}, actions: {}, evolve: { sold: () => ({}) } };`,
  );
  const root = join(home.path, 'modules');
  const built = await Promise.all(
    Array.from({ length: AT_ONCE }, () => buildModule(file, root, { cwd: home.path })),
  );
  const [first, ...others] = built.map(success);
  assert.ok(first !== undefined);
  for (const other of others) assert.deepEqual(other, first);
  assert.deepEqual((await readdir(first.dir)).toSorted(), [
    'index.js',
    'index.js.map',
    'manifest.json',
    'source.json',
  ]);
  assert.deepEqual(await readdir(join(root, 'tickets')), [first.dir.slice(first.dir.lastIndexOf('/') + 1)]);
});
