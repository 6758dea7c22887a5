import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import type { NatsConnection } from 'nats';
import type { ControlError } from '../../../schemas/control.js';
import { type ModuleInfo, type ModuleStatus, OPS } from '../../../schemas/operate.js';
import { startBroker, type TestBroker } from '../../support/broker.js';
import { byForm } from '../../support/form.js';
import { connectOperator } from '../../support/log-checks.js';
import { sourceManifest, workingCode, writeSourceModule } from '../../support/source-module.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';
import { BROKEN as ALL, brokenManifest } from './broken-code.js';

/** Each in another way: the file, the code that it runs, and what it exports. */
const BROKEN = byForm({ short: ALL.filter((_, i) => i % 4 === 0), deep: ALL });

/** Lines of an error are for a terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const UNPRINTABLE = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/;
const MAX_ERROR_CHARACTERS = 20_000;

describe('code that does not become a module', () => {
  let dir: TempDir;
  let broker: TestBroker;
  let nc: NatsConnection;

  const nameOf = (i: number): string => `broken${i}`;
  const write = (i: number): string => {
    const name = nameOf(i);
    const { files, startMs } = BROKEN[i] as (typeof BROKEN)[number];
    return writeSourceModule(join(dir.path, name), brokenManifest(name, startMs), files(name));
  };
  const ask = async <T>(subject: string, body: object): Promise<T> =>
    (await nc.request(subject, JSON.stringify(body), { timeout: 30_000 })).json<T>();
  const errorOf = async (subject: string, body: object): Promise<string> => {
    const { error } = await ask<ControlError>(subject, body);
    assert.equal(error?.code, 'MODULE_START_FAILED');
    assert.doesNotMatch(error.message, UNPRINTABLE);
    assert.ok(error.message.length < MAX_ERROR_CHARACTERS, `${error.message.length} characters`);
    return error.message;
  };

  before(async () => {
    dir = tempDir();
    const modules = BROKEN.flatMap((_, i) => ['--module', write(i)]);
    broker = await startBroker({ args: ['--no-shipped', '--durability', 'os', ...modules] });
    nc = await connectOperator(broker.dataDir);
  });
  after(async () => {
    await nc?.close();
    await broker?.[Symbol.asyncDispose]();
    await dir?.[Symbol.asyncDispose]();
  });

  for (const [i, { what, says, startMs }] of BROKEN.entries()) {
    it(`${what}: start, load and reload say what it is, in one line and in full`, async () => {
      const info = await ask<ModuleInfo>(OPS.moduleInfo, { name: nameOf(i) });
      assert.equal(info.state, 'crashed');
      assert.doesNotMatch(info.reason ?? '', /\n/);
      assert.ok((info.reason ?? '').length < 1_000);
      for (const pattern of says) assert.match([info.reason, ...info.output].join('\n'), pattern);
      // One that takes all its time to fail need not do it three times.
      if (startMs !== undefined) return;
      const loaded = await errorOf(OPS.moduleLoad, { dir: join(dir.path, nameOf(i)) });
      for (const pattern of says) assert.match(loaded, pattern);
      assert.match(loaded.split('\n').at(-1) ?? '', new RegExp(`^fix it and run .*reload ${nameOf(i)}`));
      if (i % 4 !== 0) return;
      const reloaded = await errorOf(OPS.moduleReload, { name: nameOf(i) });
      for (const pattern of says) assert.match(reloaded, pattern);
    });
  }

  it('whatever the message is, the error has its beginning, printable and bounded', async () => {
    const name = 'anything';
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 2_000 }), fc.nat(5), async (text, lines) => {
        const message = `begins here ${text}${'\nand on'.repeat(lines * 30)}`;
        writeSourceModule(join(dir.path, name), brokenManifest(name), {
          'package.json': '{"type":"module"}',
          'index.js': `throw new Error(${JSON.stringify(message)});`,
        });
        const error = await errorOf(OPS.moduleLoad, { dir: join(dir.path, name) });
        assert.match(error, /Error: begins here/);
      }),
      { numRuns: 5 },
    );
  });

  it('a module that a compiler has made CommonJS of works', async () => {
    const name = 'commonjs';
    const code = workingCode(name).replace('export default', 'exports.default =');
    writeSourceModule(join(dir.path, name), sourceManifest(name), {
      'package.json': '{"type":"commonjs"}',
      'index.js': `Object.defineProperty(exports, '__esModule', { value: true });\n${code}`,
    });
    const status = await ask<ModuleStatus>(OPS.moduleLoad, { dir: join(dir.path, name) });
    assert.equal(status.state, 'loaded');
  });

  it('a stack names the source where the code has a source map', async () => {
    const name = 'mapped';
    const map = {
      version: 3,
      sources: ['shop.ts'],
      sourcesContent: ["throw new Error('closed');"],
      names: [],
      mappings: 'AAAA',
    };
    const url = `data:application/json;base64,${Buffer.from(JSON.stringify(map)).toString('base64')}`;
    writeSourceModule(join(dir.path, name), brokenManifest(name), {
      'package.json': '{"type":"module"}',
      'index.js': `throw new Error('closed');\n//# sourceMappingURL=${url}`,
    });
    assert.match(await errorOf(OPS.moduleLoad, { dir: join(dir.path, name) }), /shop\.ts:1/);
  });
});
