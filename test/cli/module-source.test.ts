import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startBroker, type TestBroker } from '../support/broker.js';
import { inDeep } from '../support/form.js';
import { natsCall } from '../support/requests.js';
import type { ProgramResult } from '../support/run-program.js';
import { sourceManifest } from '../support/source-module.js';
import { tempDir } from '../support/temp-dir.js';
import { tallystick } from './tallystick.js';

const tickets = (house: string, name = 'tickets'): string => `
import { defineModule, ok, reject, Type } from 'tallystick';
${house}

export default defineModule({
  name: '${name}',
  version: '1.0.0',
  description: 'Sells the seats of shows.',
  state: { sold: 0 },
  events: {
    sold: {
      data: Type.Object({ seats: Type.Integer() }),
      evolve: (state, { seats }) => ({ sold: state.sold + seats }),
    },
  },
  actions: {
    sell: {
      input: Type.Object({ seats: Type.Integer({ minimum: 1 }) }),
      output: Type.Object({ left: Type.Integer() }),
      decide: ({ sold }, { seats }) =>
        sold + seats > HOUSE
          ? reject('SOLD_OUT', \`\${HOUSE - sold} seats are left\`)
          : ok({ left: HOUSE - sold - seats }, { sold: { seats } }),
    },
  },
});
`;

/** An enum, a type that is imported, and a file that is found by its place: what needs more than types taken out. */
const house = (seats: number): string => `
import { readFileSync } from 'node:fs';
export type Seats = number;
export enum Size { Small = ${seats} }
export const HOUSE: Seats = Size.Small + Number(readFileSync(new URL('./more.txt', import.meta.url), 'utf8'));
`;
const IMPORTS_HOUSE = "import { HOUSE, type Seats } from './house.ts';\nexport type { Seats };";

const itInDeep = inDeep(it);
const dir = tempDir();
let broker: TestBroker;

const write = (files: Readonly<Record<string, string>>): void => {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir.path, path)), { recursive: true });
    writeFileSync(join(dir.path, path), text);
  }
};
const run = (...args: readonly string[]): Promise<ProgramResult> =>
  tallystick([...args, '--data', broker.dataDir], { cwd: dir.path });
const ran = async (...args: readonly string[]): Promise<string> => {
  const { code, stdout, stderr } = await run(...args);
  assert.equal(code, 0, `${args.join(' ')}: ${stdout}${stderr}`);
  return stdout;
};
/** The result as text, over a connection: these tests are about the code that answers, not about the command `call`. */
const sell = async (module: string, agent: string, seats: number): Promise<string> => {
  const { result } = await natsCall(broker.url, `${module}.sell.${agent}`, JSON.stringify({ seats }));
  assert.equal(result.status, 'ok', JSON.stringify(result));
  return JSON.stringify(result, undefined, 2);
};

before(async () => {
  broker = await startBroker({ args: ['--no-shipped', '--durability', 'os'] });
});
after(async () => {
  await broker[Symbol.asyncDispose]();
  await dir[Symbol.asyncDispose]();
});

describe('a module that is one TypeScript file', () => {
  it('is loaded, called, changed, reloaded, and started again without its source', async () => {
    write({ 'shop/tickets.ts': tickets(IMPORTS_HOUSE), 'shop/house.ts': house(90), 'shop/more.txt': '10' });
    assert.match(await ran('module', 'load', './shop/tickets.ts'), /^tickets +1\.0\.0 +loaded/m);
    assert.match(await sell('tickets', 'hamlet', 98), /"left": 2/);

    write({ 'shop/house.ts': house(190) });
    assert.match(await ran('module', 'reload', 'tickets'), /^tickets +1\.0\.0 +loaded/m);
    assert.match(await sell('tickets', 'hamlet', 3), /"left": 99/);

    // The broker remembers what was loaded, and not what the file has now.
    rmSync(join(dir.path, 'shop', 'house.ts'));
    rmSync(join(dir.path, 'shop', 'tickets.ts'));
    const { dataDir } = broker;
    await broker.stop();
    broker = await startBroker({ dataDir, args: ['--no-shipped', '--durability', 'os'] });
    assert.match(await sell('tickets', 'hamlet', 1), /"left": 98/);
    const { code, stderr } = await run('module', 'reload', 'tickets');
    assert.equal(code, 1);
    assert.match(stderr, /MODULE_BUILD_FAILED: .*shop\/tickets\.ts is gone: give the file where it is now/);

    write({ 'moved.ts': tickets('const HOUSE = 1_000;') });
    await ran('module', 'reload', 'tickets', './moved.ts');
    assert.match(await sell('tickets', 'hamlet', 1), /"left": 897/);
  });

  it('runs on as it was when its new code is no good', async () => {
    write({ 'steady.ts': tickets('const HOUSE = 10;', 'steady') });
    await ran('module', 'load', 'steady.ts');
    await sell('steady', 'lear', 4);
    const worse = tickets('const HOUSE = 10;', 'steady').replace(
      'state.sold + seats }',
      'state.none.sold + seats }',
    );
    write({ 'steady.ts': worse });
    const { code, stderr } = await run('module', 'reload', 'steady');
    assert.equal(code, 1);
    assert.match(stderr, /steady\.ts:13/, 'the trial names the line of the source');
    assert.match(await sell('steady', 'lear', 5), /"left": 1/);
  });

  itInDeep('leaves the builds of the last ten minutes and the one that runs', async () => {
    const builds = join(broker.dataDir, 'modules', 'brief');
    for (const seats of [1, 2, 3]) {
      write({ 'brief.ts': tickets(`const HOUSE = ${seats};`, 'brief') });
      await (seats === 1 ? ran('module', 'load', 'brief.ts') : ran('module', 'reload', 'brief'));
      for (const name of readdirSync(builds)) utimesSync(join(builds, name), 1, 1);
    }
    write({ 'brief.ts': tickets('const HOUSE = 4;', 'brief') });
    await ran('module', 'reload', 'brief');
    assert.equal(readdirSync(builds).length, 1);
    assert.match(await sell('brief', 'lear', 4), /"left": 0/);
  });

  it('leaves the ten newest builds of the last ten minutes, and no build that did not end', async () => {
    const root = join(broker.dataDir, 'modules');
    write({ 'often.ts': tickets('const HOUSE = 1;', 'often') });
    await ran('module', 'load', 'often.ts');
    for (let i = 0; i < 20; i++) mkdirSync(join(root, 'often', `build-${i}`));
    const [killed, busy] = [join(root, '.new', 'killed'), join(root, '.new', 'busy')];
    for (const each of [killed, busy]) mkdirSync(each, { recursive: true });
    utimesSync(killed, 1, 1);
    write({ 'often.ts': tickets('const HOUSE = 2;', 'often') });
    await ran('module', 'reload', 'often');
    assert.equal(readdirSync(join(root, 'often')).length, 11);
    assert.deepEqual([existsSync(killed), existsSync(busy)], [false, true]);
    assert.match(await sell('often', 'lear', 2), /"left": 0/);
  });

  itInDeep(
    'leaves no build and no trace in the list when it is removed, also if it never started',
    async () => {
      write({ 'gone.ts': tickets('const HOUSE = 1;', 'gone') });
      await ran('module', 'load', 'gone.ts');
      await ran('module', 'remove', 'gone', '--unload', '--yes');
      assert.equal(existsSync(join(broker.dataDir, 'modules', 'gone')), false);

      write({
        'broken/manifest.json': JSON.stringify(sourceManifest('broken')),
        'broken/index.js': 'throw 1;',
      });
      assert.equal((await run('module', 'load', 'broken')).code, 1);
      const states = async () =>
        (
          JSON.parse(await ran('module', 'list', '--json')) as { modules: { name: string; state: string }[] }
        ).modules
          .filter(({ name }) => name === 'broken')
          .map(({ state }) => state);
      assert.deepEqual(await states(), ['crashed']);
      await ran('module', 'remove', 'broken', '--yes');
      assert.deepEqual(await states(), []);
    },
  );

  itInDeep(
    'may be a directory, an installed package, and an argument of start and of all that reads the past',
    async () => {
      const javascript = tickets('const HOUSE = 5;', 'folder');
      write({
        'folder/index.js': javascript,
        'node_modules/@shop/made/package.json':
          '{"name":"@shop/made","version":"1.0.0","exports":"./made.js"}',
        'node_modules/@shop/made/made.js': "export { default } from './inner/module.js';",
        'node_modules/@shop/made/inner/module.js': tickets('const HOUSE = 6;', 'made'),
        'given.ts': tickets('const HOUSE = 7;', 'given'),
        'given-2.ts': tickets('const HOUSE = 8;', 'given'),
      });
      await ran('module', 'load', 'folder');
      assert.match(await sell('folder', 'lear', 1), /"left": 4/);
      await ran('module', 'load', '@shop/made');
      assert.match(await sell('made', 'lear', 1), /"left": 5/);

      const { dataDir } = broker;
      await broker.stop();
      const given = join(dir.path, 'given.ts');
      broker = await startBroker({
        dataDir,
        args: ['--no-shipped', '--durability', 'os', '--module', given],
      });
      assert.match(await sell('given', 'lear', 1), /"left": 6/);
      const same = await run('replay', 'diff', 'given', '--module', './given.ts');
      assert.equal(same.code, 0, same.stdout + same.stderr);
      const other = await run('replay', 'diff', 'given', '--module', './given-2.ts');
      assert.equal(other.code, 1);
      assert.match(other.stdout, /data\.left +6 → 7/);
      const past = ['--module', './given-2.ts', '--json'];
      assert.match(await ran('replay', 'state', 'given', 'lear', ...past), /"sold": ?1/);
      assert.match(await ran('agent', 'get', 'given', 'lear', '--at', '1s', ...past), /"sold": ?1/);
      // The commands of other modules differ in both runs.
      const differing = async (source: string): Promise<string> =>
        (await run('replay', 'run', '--module', source, '--module', 'folder', '--json')).stdout;
      const unchanged = await differing('./given.ts');
      assert.match(unchanged, /"kind":"ended"/);
      assert.doesNotMatch(unchanged, /cmd\.given\.sell/);
      assert.match(await differing('./given-2.ts'), /"verdict":"different".*"cmd\.given\.sell\.lear\.guest"/);
    },
  );
});

const whole = (name: string): string => tickets('const HOUSE = 1;', name);

describe('a module that cannot be built', () => {
  const cases: readonly (readonly [title: string, text: string, words: RegExp])[] = [
    ['a syntax error', 'export default {\n  a: 1,,\n};\n', /wrong\.ts:2:8: Expected identifier.*\n.*a: 1,,/],
    ['a file that is not there', "\nimport './none.ts';", /wrong\.ts:2:8: Could not resolve "\.\/none\.ts"/],
    [
      'a package that is not there',
      "import x from 'no-such-package';\nx();",
      /wrong\.ts:1:15: Could not resolve "no-such/,
    ],
    [
      'code that throws',
      'const names: string[] = [];\n\nnames[0]!.trim();\n',
      /wrong\.ts:3:\d+: Cannot read prop/,
    ],
    ['no module', 'export const a = 1;', /wrong\.ts has no default export made with defineModule.*exports a/],
    [
      'an action without a handler',
      whole('wrong').replace('decide:', 'decideLater:'),
      /wrong\.ts:5:\d+: the action wrong\.sell needs one handler/,
    ],
    ['a name that is none', whole('not a name'), /wrong\.ts:5:\d+: manifest\/name/],
    [
      'a schema that is none',
      whole('wrong').replace('{ minimum: 1 }', "{ minimum: 'one' as never }"),
      /wrong\.ts:5:\d+: .*\/actions\/sell\/input/,
    ],
    ['an end of the process', 'process.exit(3);', /wrong\.ts: it ends its process with exit code 3/],
  ];
  for (const [title, text, words] of cases) {
    it(`names the file and the line of ${title}`, async () => {
      write({ 'wrong.ts': text });
      const { code, stdout, stderr } = await run('module', 'load', './wrong.ts');
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, words);
      assert.match(stderr, /MODULE_BUILD_FAILED/);
    });
  }

  it('is not there: USAGE', async () => {
    write({ 'empty/README.md': '', 'notes.txt': '' });
    const said = async (named: string): Promise<string> => (await run('module', 'load', named)).stderr;
    assert.match(await said('./none.ts'), /USAGE: there is no .*none\.ts/);
    assert.match(await said('none'), /USAGE: none is no file, no directory and no package/);
    assert.match(await said('notes.txt'), /USAGE: notes\.txt is no source file of a module/);
    assert.match(await said('empty'), /MANIFEST_INVALID: .*empty has no manifest\.json, and no index\.ts/);
  });
});
