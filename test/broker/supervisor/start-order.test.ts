import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Fault } from '../../../schemas/errors.js';
import { plain } from '../../fixtures/modules/plain/manifest.js';
import { startBroker, type TestBroker, tallystick } from '../../support/broker.js';
import { writeModule } from '../../support/module-dir.js';
import { moduleCommand, moduleStatuses } from '../../support/modules.js';
import { natsCall } from '../../support/requests.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';

const MODULES = [
  plain('top', { middle: ['echo'], base: ['echo'] }),
  plain('middle', { base: ['echo'] }),
  plain('base'),
  plain('hen', { egg: ['echo'] }),
  plain('egg', { hen: ['echo'] }),
  plain('farm', { hen: ['echo'] }),
  plain('orphan', { parent: ['echo'] }),
  plain('choosy', { base: ['sing'] }),
];

const usable = { ...plain('usable'), start: { entry: './index.js' } };
const action = { input: {}, output: {} };

const WRONG: readonly (readonly [
  what: string,
  manifest: unknown,
  path: string | undefined,
  words: RegExp,
])[] = [
  ['no JSON', '{"name":', undefined, /JSON/],
  ['no name', { ...usable, name: undefined }, '', /name/],
  ['a reserved name', { ...usable, name: 'guest' }, '/name', /reserved/],
  ['neither action nor event', { ...usable, actions: {}, events: {} }, '/actions', /declares no action/],
  ['a misspelt limit', { ...usable, limits: { heap: 64 } }, '/limits/heap', /not a known property/],
  [
    'a schema that checks nothing',
    { ...usable, actions: { echo: { ...action, input: { type: 'strnig' } } } },
    '/actions/echo/input/type',
    /not one of/,
  ],
  ['no way to start', { ...usable, start: {} }, '/start', /./],
  [
    'itself as a dependency',
    { ...usable, dependencies: { usable: ['echo'] } },
    '/dependencies/usable',
    /itself/,
  ],
];

let dir: TempDir;
let broker: TestBroker;

const wrongModule = async (index: number, manifest: unknown): Promise<string> => {
  const path = join(dir.path, `wrong-${index}`);
  await mkdir(path, { recursive: true });
  await writeFile(
    join(path, 'manifest.json'),
    typeof manifest === 'string' ? manifest : JSON.stringify(manifest),
  );
  return path;
};

before(async () => {
  dir = tempDir();
  const args = [];
  for (const manifest of MODULES) {
    args.push('--module', await writeModule(join(dir.path, manifest.name), 'plain', manifest));
  }
  broker = await startBroker({ args: ['--no-shipped', '--durability', 'os', ...args] });
});
after(async () => {
  await broker?.[Symbol.asyncDispose]();
  await dir?.[Symbol.asyncDispose]();
});

describe('the start of many modules', () => {
  it('each process begins after those of the modules that it needs', () => {
    const began = (name: string): number =>
      broker.stderr.findIndex((line) => line.endsWith(`[${name}] ${name} 1.0.0 begins`));
    assert.ok(began('base') >= 0 && began('base') < began('middle') && began('middle') < began('top'));
  });

  it('a circle and what is missing are named failures, and the rest runs', async () => {
    const statuses = await moduleStatuses(broker);
    const of = (name: string): string => `${statuses.get(name)?.state}: ${statuses.get(name)?.reason}`;
    for (const name of ['base', 'middle', 'top']) assert.equal(of(name), 'loaded: null');
    assert.match(of('hen'), /^crashed: DEPENDENCY_CYCLE: hen cannot start: hen → egg → hen$/);
    assert.match(of('egg'), /^crashed: DEPENDENCY_CYCLE: egg cannot start: egg → hen → egg$/);
    assert.match(of('farm'), /^crashed: DEPENDENCY_CYCLE: farm cannot start: hen → egg → hen$/);
    assert.match(of('orphan'), /^crashed: DEPENDENCY_MISSING: orphan needs parent, which is not there$/);
    assert.match(of('choosy'), /^crashed: DEPENDENCY_MISSING: choosy needs base\.sing/);
    assert.ok(broker.stderr.some((line) => /\[supervisor\] orphan: cannot start: .*parent/.test(line)));
    assert.deepEqual(
      broker.ready.modules.filter(({ pid }) => pid !== null).map(({ name }) => name),
      ['top', 'middle', 'base'],
    );
  });

  it('callers of a module that cannot start are told so at once', async () => {
    const { result } = await natsCall(broker.url, 'orphan.echo.alice', '{}');
    assert.equal(result.status === 'ok' ? 'ok' : result.error.code, 'MODULE_UNAVAILABLE');
    const { result: asked } = await natsCall(broker.url, 'top.asks.alice', '{"module":"middle"}');
    assert.deepEqual(asked, { status: 'ok', data: { from: 'top' } });
  });

  it('once what was missing is there, the module can be loaded', async () => {
    const parent = await writeModule(join(dir.path, 'parent'), 'plain', plain('parent'));
    assert.equal((await moduleCommand(broker, 'load', parent)).json?.state, 'loaded');
    assert.equal((await moduleCommand(broker, 'reload', 'orphan')).json?.state, 'loaded');
    const { result } = await natsCall(broker.url, 'orphan.asks.alice', '{"module":"parent"}');
    assert.deepEqual(result, { status: 'ok', data: { from: 'orphan' } });
  });

  it('a manifest that is mended before its module ever started may do what it says now', async () => {
    await writeModule(join(dir.path, 'choosy'), 'plain', plain('choosy', { middle: ['echo'] }));
    // It calls another module than before.
    assert.equal((await moduleCommand(broker, 'reload', 'choosy', '--grant')).json?.state, 'loaded');
    const { result } = await natsCall(broker.url, 'choosy.asks.alice', '{"module":"middle"}');
    assert.deepEqual(result, { status: 'ok', data: { from: 'choosy' } });
  });
});

describe('a manifest that is wrong', () => {
  for (const [index, [what, manifest, path, words]] of WRONG.entries()) {
    it(`${what}: module load refuses and says where`, async () => {
      const at = await wrongModule(index, manifest);
      const { code, stderr } = await moduleCommand(broker, 'load', at);
      assert.equal(code, 1);
      const { error } = JSON.parse(stderr) as { error: Fault };
      assert.equal(error.code, 'MANIFEST_INVALID');
      assert.equal(error.path, path);
      assert.match(error.message, words);
      assert.ok(error.message.includes(join(at, 'manifest.json')));
    });
  }

  it('so does a start with --module, before it touches anything', async () => {
    const [, manifest, path] = WRONG[3] ?? [];
    const at = await wrongModule(3, manifest);
    const dataDir = join(dir.path, 'no-data');
    const { code, stdout, stderr } = await tallystick(
      ['start', '--json', '--nats-port', '0', '--module', at],
      { dataDir },
    );
    assert.equal(code, 1);
    assert.equal(stdout, '');
    const { error } = JSON.parse(stderr) as { error: Fault };
    assert.deepEqual([error.code, error.path], ['MANIFEST_INVALID', path]);
  });

  it('a directory without a manifest is named', async () => {
    const { code, stderr } = await moduleCommand(broker, 'load', join(dir.path, 'nowhere'));
    assert.equal(code, 1);
    assert.match(stderr, /nowhere\/manifest\.json/);
  });

  it('code that is of another version than the manifest is not run as that module', async () => {
    const at = await writeModule(join(dir.path, 'other'), 'faulty', {
      ...plain('other'),
      limits: { crashes: 1 },
    });
    const { code, stderr } = await moduleCommand(broker, 'load', at);
    assert.equal(code, 1);
    assert.match(stderr, /MODULE_START_FAILED/);
    assert.ok(broker.stderr.some((line) => /\[other\].*the code of faulty 1\.0\.0/.test(line)));
  });

  it('a program that is not there is a failed start with its name', async () => {
    const at = join(dir.path, 'ghost');
    await mkdir(at);
    const manifest = {
      ...usable,
      name: 'ghost',
      limits: { crashes: 1 },
      start: { command: ['no-such-program'] },
    };
    await writeFile(join(at, 'manifest.json'), JSON.stringify(manifest));
    const { code, stderr } = await moduleCommand(broker, 'load', at);
    assert.equal(code, 1);
    assert.match(stderr, /MODULE_START_FAILED.*no-such-program/);
  });
});
