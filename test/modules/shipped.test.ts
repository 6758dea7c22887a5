import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { isLeft } from 'fp-ts/lib/Either.js';
import { parseManifest } from '../../schemas/manifest.js';
import type { AnyModule } from '../../modules/sdk/module-shape.js';
import { burstModules, shippedModules } from '../../modules/shipped.js';

const ALL = [...shippedModules, ...burstModules];

const modules = new URL('../../modules/', import.meta.url);
/** Directories beside the shipped modules that are part of the package itself. */
const OWN = ['bundle', 'client', 'host', 'sdk', 'testing'];

test('every directory of a module is on one of the lists', async () => {
  const entries = await readdir(modules, { withFileTypes: true });
  const directories = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  const expected = directories.filter((directory) => !OWN.includes(directory)).sort();
  assert.deepEqual(ALL.map(({ directory }) => directory).sort(), expected);
});

const load = async (directory: string): Promise<AnyModule> =>
  ((await import(new URL(`${directory}/index.js`, modules).href)) as { default: AnyModule }).default;

for (const { name, directory } of ALL) {
  test(`${name} has a manifest that can be used, and a handler or fold for all that it declares`, async () => {
    const { manifest, actions, evolve } = await load(directory);
    const parsed = parseManifest(JSON.parse(JSON.stringify(manifest)));
    if (isLeft(parsed)) assert.fail(parsed.left.message);
    assert.equal(parsed.right.name, name);
    assert.deepEqual(Object.keys(actions).sort(), Object.keys(manifest.actions).sort());
    assert.deepEqual(Object.keys(evolve).sort(), Object.keys(manifest.events).sort());
  });

  test(`what ${name} depends on ships too, and has those actions for others to call`, async () => {
    const { manifest } = await load(directory);
    for (const [dependency, needed] of Object.entries(manifest.dependencies ?? {})) {
      const found = ALL.find((module) => module.name === dependency);
      assert(found !== undefined, dependency);
      const { actions } = (await load(found.directory)).manifest;
      for (const action of needed)
        assert.equal(actions[action]?.callers ?? 'any', 'any', `${dependency}.${action}`);
    }
  });
}
