import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from 'nats';
import type { Refusal } from '../../../schemas/result.js';
import { startBroker, tallystick } from '../../support/broker.js';
import { sourceManifest, writeSourceModule } from '../../support/source-module.js';
import { tempDir } from '../../support/temp-dir.js';

/** What the code throws, and how the message shows it. */
const VALUES: readonly (readonly [code: string, shown: string])[] = [
  ['undefined', 'undefined'],
  ["'no seats'", '"no seats"'],
  ['{ code: 5 }', '{"code":5}'],
];

const manifestOf = (name: string) =>
  sourceManifest(name, {
    actions: Object.fromEntries(
      VALUES.map((_, i) => [`act${i}`, { input: {}, output: {}, retry: { attempts: 1 } }]),
    ),
  });

const handlers = (name: string): string => `
const manifest = ${JSON.stringify(manifestOf(name))};
export default {
  manifest,
  initial: {},
  actions: { ${VALUES.map(([code], i) => `act${i}: { decide: () => { throw ${code}; } }`).join(', ')} },
  evolve: { added: (state) => state },
};
`;

test('what a module throws is named where it is no Error: by a handler, and while the module loads', async () => {
  await using home = tempDir();
  const write = (name: string, code: string, folder = name): string =>
    writeSourceModule(join(home.path, folder), manifestOf(name), {
      'package.json': '{"type":"module"}',
      'index.js': code,
    });
  await using broker = await startBroker({
    args: ['--no-shipped', '--module', write('throwing', handlers('throwing')), '--durability', 'os'],
  });
  const nc = await connect({ servers: broker.url });
  try {
    for (const [i, [code, shown]] of VALUES.entries()) {
      const reply = await nc.request(`call.throwing.act${i}.a`, '{}', { timeout: 30_000 });
      const { error } = reply.json<Refusal>();
      assert.equal(error.message, `throwing.act${i} threw: ${shown}, which is no Error`);
      const dir = write(`loading${i}`, `throw ${code};`);
      const loaded = await tallystick(['module', 'load', dir], { dataDir: broker.dataDir });
      assert.equal(loaded.code, 1);
      assert.ok(loaded.stderr.includes(`the module threw ${shown}, which is no Error`), loaded.stderr);
      const other = write('throwing', `throw ${code};`, `other${i}`);
      const inTool = await tallystick(['replay', 'state', 'throwing', 'a', '--module', other], {
        dataDir: broker.dataDir,
      });
      assert.ok(inTool.stderr.includes(`${shown}, which is no Error`), inTool.stderr);
    }
  } finally {
    await nc.close();
  }
});
