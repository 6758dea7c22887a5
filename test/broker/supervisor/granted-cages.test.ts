import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { startBroker, type TestBroker } from '../../support/broker.js';
import { moduleCommand, moduleStatus, moduleStatuses } from '../../support/modules.js';
import { sourceManifest, workingCode, writeSourceModule } from '../../support/source-module.js';
import { tempDir } from '../../support/temp-dir.js';

const NOT_GRANTED = /CAGE_NOT_GRANTED.*shop asks for more than it may: /;

it('the first start grants what a module asks for, and after that only an explicit grant makes a cage wider', async () => {
  await using dir = tempDir();
  const dataDir = join(dir.path, 'data');
  mkdirSync(join(dir.path, 'settings'));
  const at = join(dir.path, 'shop');
  const asks = (cage?: object): void =>
    void writeSourceModule(at, sourceManifest('shop', cage && { cage }), { 'index.js': workingCode('shop') });
  const start = (...args: readonly string[]) =>
    startBroker({ dataDir, args: ['--no-shipped', '--durability', 'os', ...args] });
  const refused = async (broker: TestBroker, more: RegExp, ...args: readonly string[]): Promise<void> => {
    const { code, json, stderr } = await moduleCommand(broker, ...args);
    assert.deepEqual([code, json], [1, undefined], stderr);
    assert.match(stderr, NOT_GRANTED);
    assert.match(stderr, more);
  };
  const granted = async (broker: TestBroker, ...args: readonly string[]): Promise<void> => {
    const { code, stderr } = await moduleCommand(broker, ...args);
    assert.equal(code, 0, stderr);
  };
  {
    const shelf = writeSourceModule(
      join(dir.path, 'shelf'),
      sourceManifest('shelf', { cage: { listen: [8080] } }),
      {
        'index.js': workingCode('shelf'),
      },
    );
    await using broker = await start('--module', shelf);
    await moduleStatus(broker, 'shelf', ({ state }) => state === 'loaded');
    asks({ connect: [443] });
    await refused(broker, /connect to port 443/, 'load', at);
    assert.deepEqual([...(await moduleStatuses(broker)).keys()], ['shelf']);
    await granted(broker, 'load', at, '--grant');
    await granted(broker, 'reload', 'shop');
    const { pid } = await moduleStatus(broker, 'shop', ({ state }) => state === 'loaded');

    asks({ connect: [443], read: ['../settings'] });
    for (const trial of [[], ['--no-trial']])
      await refused(broker, /: read \/\S+\/settings/, 'reload', 'shop', ...trial);
    assert.equal((await moduleStatuses(broker)).get('shop')?.pid, pid, 'the running process is left alone');
    await granted(broker, 'unload', 'shop');
    await refused(broker, /settings/, 'load', at);
    asks({ connect: [443] });
    await granted(broker, 'load', at);
  }
  asks({ connect: [443, 444] });
  for (const args of [[], ['--module', at]]) {
    await using broker = await start(...args);
    const { reason } = await moduleStatus(broker, 'shop', ({ state }) => state === 'crashed');
    assert.match(reason ?? '', NOT_GRANTED);
    assert.match(
      reason ?? '',
      /connect to port 444\. `tallystick module reload shop .*\/shop --grant` grants it/,
    );
    if (args.length === 0) continue;
    await granted(broker, 'reload', 'shop', at, '--grant');
    await moduleStatus(broker, 'shop', ({ state }) => state === 'loaded');
    // What it no longer asks for is no longer granted.
    asks();
    await granted(broker, 'reload', 'shop');
    asks({ connect: [443] });
    await refused(broker, /connect to port 443/, 'reload', 'shop');
  }
});

it('I7 a new version calls no more actions than the version before, until an operator grants it', async () => {
  await using dir = tempDir();
  const write = (name: string, more?: object): string =>
    writeSourceModule(join(dir.path, name), sourceManifest(name, more), { 'index.js': workingCode(name) });
  const shelf = write('shelf');
  const shop = write('shop');
  await using broker = await startBroker({
    dataDir: join(dir.path, 'data'),
    args: ['--no-shipped', '--durability', 'os', '--module', shelf, '--module', shop],
  });
  const before = await moduleStatus(broker, 'shop', ({ state }) => state === 'loaded');
  write('shop', { dependencies: { shelf: ['add'] } });
  const refused = await moduleCommand(broker, 'reload', 'shop');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /CALLS_NOT_GRANTED.*shop asks for more than it may: call shelf\.add/);
  assert.equal(
    (await moduleStatuses(broker)).get('shop')?.pid,
    before.pid,
    'the running process is left alone',
  );
  const granted = await moduleCommand(broker, 'reload', 'shop', '--grant');
  assert.equal(granted.code, 0, granted.stderr);
  // Fewer calls need no grant.
  write('shop');
  const fewer = await moduleCommand(broker, 'reload', 'shop', '--no-trial');
  assert.equal(fewer.code, 0, fewer.stderr);
  write('shop', { dependencies: { shelf: ['add'] } });
  assert.equal(
    (await moduleCommand(broker, 'reload', 'shop')).code,
    1,
    'what a version gave up is asked for again',
  );
});
