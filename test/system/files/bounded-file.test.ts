import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { isLeft } from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { readBounded } from '../../../system/files/bounded-file.js';
import type { ControlError } from '../../../schemas/control.js';
import { MAX_MANIFEST_BYTES, parseManifest } from '../../../schemas/manifest.js';
import { type ModuleStatus, OPS } from '../../../schemas/operate.js';
import { startBroker, type TestBroker } from '../../support/broker.js';
import { failure, success } from '../../support/either.js';
import { connectOperator } from '../../support/log-checks.js';
import { sourceManifest, workingCode, writeSourceModule } from '../../support/source-module.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';

/** Makes what is no file of a reasonable size at a path; gives what undoes it. */
type Make = (path: string) => undefined | (() => void) | Promise<() => void>;

const sparse =
  (bytes: number): Make =>
  (path) => {
    const fd = openSync(path, 'w');
    ftruncateSync(fd, bytes);
    closeSync(fd);
    return undefined;
  };
const linkTo =
  (target: string): Make =>
  (path) => {
    symlinkSync(target, path);
    return undefined;
  };

const NO_FILES: Readonly<Record<string, Make>> = {
  'nothing at all': () => undefined,
  'a pipe': (path) => void execFileSync('mkfifo', [path]),
  'a directory': (path) => void mkdirSync(path),
  'a socket': (path) =>
    new Promise((resolve) => {
      const server = createServer().listen(path, () => resolve(() => server.close()));
    }),
  'a link to /dev/zero': linkTo('/dev/zero'),
  'a link to /dev/random': linkTo('/dev/random'),
  'a link to /dev/stdin': linkTo('/dev/stdin'),
  'a link to itself': (path) => linkTo(path)(path),
  'a link to nothing': linkTo('/nothing/there'),
  'a link to a directory': linkTo('/'),
  'a file of 5 GB': sparse(5_000_000_000),
  'a file just above the limit': sparse(4 * MAX_MANIFEST_BYTES + 1),
  'an empty file': sparse(0),
};

describe('a path that a person names', () => {
  let dir: TempDir;
  let broker: TestBroker;
  let nc: NatsConnection;
  let made = 0;

  before(async () => {
    dir = tempDir();
    broker = await startBroker({ args: ['--no-shipped', '--durability', 'os'] });
    nc = await connectOperator(broker.dataDir);
  });
  after(async () => {
    await nc?.close();
    await broker?.[Symbol.asyncDispose]();
    await dir?.[Symbol.asyncDispose]();
  });

  const ask = async <T>(subject: string, body: object): Promise<T> =>
    (await nc.request(subject, JSON.stringify(body), { timeout: 5_000 })).json<T>();
  const freshDir = (): string => {
    made += 1;
    const path = join(dir.path, `m${made}`);
    mkdirSync(path);
    return path;
  };

  for (const [what, make] of Object.entries(NO_FILES)) {
    it(`${what} as manifest.json is MANIFEST_INVALID at once, and as the directory too; the broker goes on`, async () => {
      const module = freshDir();
      const undo = await make(join(module, 'manifest.json'));
      const { error } = await ask<ControlError>(OPS.moduleLoad, { dir: module });
      assert.equal(error?.code, 'MANIFEST_INVALID');
      assert.match(error.message, /manifest\.json: ./);
      undo?.();
      const path = join(freshDir(), 'instead');
      const undoSecond = what === 'nothing at all' ? undefined : await make(path);
      assert.equal((await ask<ControlError>(OPS.moduleLoad, { dir: path })).error?.code, 'MANIFEST_INVALID');
      undoSecond?.();
      const { modules } = await ask<{ modules: unknown[] }>(OPS.moduleList, {});
      assert.deepEqual(modules, []);
    });
  }

  it('is read whole where it is a file within the limit, also by a link, and never above it', () => {
    const path = join(dir.path, 'plain');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300_000 }), fc.nat(300_000), (bytes, limit) => {
        writeFileSync(path, bytes);
        const read = readBounded(path, limit);
        if (bytes.length > limit) assert.match(failure(read), /bytes/);
        else assert.deepEqual(new Uint8Array(success(read)), bytes);
      }),
      { numRuns: 30 },
    );
    symlinkSync(path, `${path}-link`);
    assert.ok(!isLeft(readBounded(`${path}-link`, 1_000_000)));
    // It says of itself that it is empty, and is not.
    assert.ok(success(readBounded('/proc/self/status', 100_000)).length > 0);
    assert.match(failure(readBounded('/proc/self/status', 10)), /more than 10 bytes/);
    assert.match(failure(readBounded('a\0b', 10)), /character/);
  });

  it('a module whose manifest becomes a pipe while it runs reloads with an error, and runs on', async () => {
    const name = 'steady';
    const module = writeSourceModule(join(dir.path, name), sourceManifest(name), {
      'package.json': '{"type":"module"}',
      'index.js': workingCode(name),
    });
    assert.equal((await ask<ModuleStatus>(OPS.moduleLoad, { dir: module })).state, 'loaded');
    const path = join(module, 'manifest.json');
    renameSync(path, `${path}.kept`);
    execFileSync('mkfifo', [path]);
    assert.equal((await ask<ControlError>(OPS.moduleReload, { name })).error?.code, 'MANIFEST_INVALID');
    rmSync(path);
    renameSync(`${path}.kept`, path);
    assert.equal((await ask<ModuleStatus>(OPS.moduleInfo, { name })).state, 'loaded');
  });

  describe('a manifest', () => {
    const many = (count: number, value: object) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`n${i}`, value]));
    const action = { input: {}, output: {} };
    const LARGE: Readonly<Record<string, object>> = {
      'with a description of a megabyte': { description: 'x'.repeat(1_100_000) },
      'with a description a little too long': { description: 'x'.repeat(4_097) },
      'with a description of an action that is too long': {
        actions: { add: { ...action, description: 'x'.repeat(4_097) } },
      },
      'with 501 actions': { actions: many(501, action) },
      'with 1,001 events': { events: many(1_001, { data: {} }) },
      'with a schema of a megabyte': {
        actions: { add: { ...action, input: { enum: ['x'.repeat(1_000_000)] } } },
      },
      'whose numbers are longer when they are written again': {
        actions: { add: { ...action, input: { enum: new Array(30_000).fill(1e20) } } },
      },
      'with a value that is nested 2,000 deep': {
        actions: { add: { ...action, input: { const: JSON.parse('['.repeat(2_000) + ']'.repeat(2_000)) } } },
      },
      'with a version of a megabyte': { version: `1.0.0-${'x'.repeat(1_000_000)}` },
      'with an entry of a megabyte': { start: { entry: 'x'.repeat(1_000_000) } },
      'with a command of a megabyte': { start: { command: ['x'.repeat(1_000_000)] } },
      'with a command of 100,000 words': { start: { command: new Array(100_000).fill('x') } },
      'with 100,000 dependencies': { dependencies: many(100_000, []) },
      'with a dependency of 100,000 actions': { dependencies: { other: new Array(100_000).fill('x') } },
    };
    for (const [what, change] of Object.entries(LARGE)) {
      it(`${what} is MANIFEST_INVALID`, async () => {
        const manifest = sourceManifest('large', change);
        assert.equal(failure(parseManifest(JSON.parse(JSON.stringify(manifest)))).code, 'MANIFEST_INVALID');
        const module = writeSourceModule(freshDir(), manifest, {});
        const { error } = await ask<ControlError>(OPS.moduleLoad, { dir: module });
        assert.equal(error?.code, 'MANIFEST_INVALID');
        assert.ok(error.message.length < 2_000, `${error.message.length}`);
      });
    }

    it('as large as it may be is shown whole, to operators and to guests', async () => {
      const name = 'fullest';
      const texts = { description: 'é'.repeat(200) };
      const change = { ...texts, actions: { add: action, ...many(450, { ...action, ...texts }) } };
      const manifest = sourceManifest(name, change);
      assert.ok(JSON.stringify(manifest).length > MAX_MANIFEST_BYTES / 3);
      const code = workingCode(name).replace(
        /const manifest = .*;/,
        `const manifest = ${JSON.stringify(manifest)};`,
      );
      const module = writeSourceModule(join(dir.path, name), manifest, {
        'package.json': '{"type":"module"}',
        'index.js': code.replace('actions: {\n', 'actions: {\n'),
      });
      const loaded = await ask<ModuleStatus & ControlError>(OPS.moduleLoad, { dir: module });
      assert.equal(loaded.state, 'loaded', JSON.stringify(loaded).slice(0, 500));
      const info = await ask<{ manifest: { actions: object } }>(OPS.moduleInfo, { name });
      assert.equal(Object.keys(info.manifest.actions).length, 451);
      const services = await ask<{ endpoints: unknown[] }>(`$SRV.INFO.${name}`, {});
      assert.equal(services.endpoints.length, 451);
    });
  });
});
