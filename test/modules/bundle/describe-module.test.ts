import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Either } from 'fp-ts/lib/Either.js';
import { describeModule } from '../../../modules/bundle/describe-module.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';

describe('what a bundled module says of itself', () => {
  let dir: TempDir;
  before(() => {
    dir = tempDir();
  });
  after(() => dir[Symbol.asyncDispose]());

  const said = async (code: string, loadMs?: number): Promise<Either<string, unknown>> => {
    const bundle = join(dir.path, 'index.mjs');
    writeFileSync(bundle, code);
    const limit = loadMs === undefined ? {} : { loadMs };
    return describeModule(bundle, { file: join(dir.path, 'tickets.ts'), cwd: dir.path, ...limit });
  };

  const module = (description: string, first = ''): string =>
    `${first};export default { manifest: { name: 'tickets', version: '1.0.0', description: ${description},
      actions: {}, events: { sold: { data: {} } } }, initial: {}, actions: {},
      evolve: { sold: () => ({}) } };`;

  it('is its manifest, with the entry of the bundle', async () => {
    const found = await said(module("'sells'"));
    assert.equal(found._tag, 'Right', JSON.stringify(found));
    const { name, manifest } = (found as { right: { name: string; manifest: string } }).right;
    assert.equal(name, 'tickets');
    assert.deepEqual((JSON.parse(manifest) as { start: unknown }).start, { entry: './index.mjs' });
  });

  it('has the paths of its cage, which begin at its source', async () => {
    const cage = { read: ['./data', '/etc/shop'], write: ['../spool'], connect: [443] };
    const found = await said(module(`'sells', cage: ${JSON.stringify(cage)}`));
    assert.equal(found._tag, 'Right', JSON.stringify(found));
    const { manifest } = (found as { right: { manifest: string } }).right;
    assert.deepEqual((JSON.parse(manifest) as { cage: unknown }).cage, {
      read: [join(dir.path, 'data'), '/etc/shop'],
      write: [join(dir.path, '..', 'spool')],
      connect: [443],
    });
    for (const wrong of ["'all'", '{ read: [7] }', 'null']) {
      const refused = await said(module(`'sells', cage: ${wrong}`));
      assert.match((refused as { left: string }).left, /^tickets\.ts: .*cage/, wrong);
    }
  });

  it('is whole, also where it is larger than a pipe holds, and whatever the module prints', async () => {
    const found = await said(module("'x'.repeat(200)", "console.log('noise')"));
    assert.equal(found._tag, 'Right', JSON.stringify(found));
    const schemas = await said(
      `const properties = Object.fromEntries(Array.from({ length: 300 }, (_, i) => ['property' + i, { type: 'string', description: 'x'.repeat(500) }]));
       export default { manifest: { name: 'tickets', version: '1.0.0', description: 'x', actions: {},
         events: { sold: { data: { type: 'object', properties } } } }, initial: {}, actions: {}, evolve: { sold: () => ({}) } };`,
    );
    assert.equal(schemas._tag, 'Right', JSON.stringify(schemas).slice(0, 500));
    assert.ok((schemas as { right: { manifest: string } }).right.manifest.length > 100_000);
  });

  it('does not wait for its timers and sockets', async () => {
    const found = await said(module("'sells'", 'setInterval(() => undefined, 1_000)'));
    assert.equal(found._tag, 'Right', JSON.stringify(found));
  });

  const problems: readonly (readonly [title: string, code: string, says: RegExp, loadMs?: number])[] = [
    ['a loop without an end', 'while (true);', /^tickets\.ts: it did not load within 1\.5 s$/, 1_500],
    [
      'a wait for nothing',
      'await new Promise(() => {});',
      /^tickets\.ts: it waits at its top level for what never comes$/,
    ],
    [
      'a wait that a timer keeps alive',
      'setInterval(() => {}, 1_000); await new Promise(() => {});',
      /within 1\.5 s$/,
      1_500,
    ],
    ['an end of the process', 'process.exit(7);', /^tickets\.ts: it ends its process with exit code 7$/],
    [
      'a kill of the process',
      "process.kill(process.pid, 'SIGKILL');",
      /^tickets\.ts: its process was killed by SIGKILL$/,
    ],
    [
      'an end that nobody catches',
      "setTimeout(() => { throw new Error('late'); }); await new Promise((go) => setTimeout(go, 20_000));",
      /exit code 1$/,
    ],
    ['a throw', "throw new Error('boom');", /: boom$/],
    ['a throw of nothing', 'throw undefined;', /tickets\.ts: /],
    ['a manifest that is no JSON', module('1n'), /tickets\.ts: its manifest cannot be JSON: /],
    ['a manifest that is none', module('5'), /tickets\.ts: manifest\/description must be string/],
  ];
  for (const [title, code, says, loadMs] of problems) {
    it(`is a problem: ${title}`, async () => {
      const found = await said(code, loadMs);
      assert.equal(found._tag, 'Left', JSON.stringify(found));
      assert.match((found as { left: string }).left, says);
    });
  }
});
