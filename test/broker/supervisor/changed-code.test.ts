import assert from 'node:assert/strict';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import fc from 'fast-check';
import { connect, type NatsConnection } from 'nats';
import { FAIL_VARIABLE, FIRED_FILE } from '../../../system/processes/fail-point.js';
import { ModuleAgents } from '../../../store/snapshots/index.js';
import { type ModuleStatus, OPS } from '../../../schemas/operate.js';
import { startBroker, type TestBroker, tallystick } from '../../support/broker.js';
import { byForm, inDeep } from '../../support/form.js';
import { connectOperator } from '../../support/log-checks.js';
import { sourceManifest, workingCode, writeSourceModule } from '../../support/source-module.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';

const itInDeep = inDeep(it);

const NAME = 'ledger';

/** What each file of the code makes an event count for: the product of all. */
interface Weights {
  entry: number;
  imported: number;
  nested: number;
  required: number;
  json: number;
  dynamic: number;
  beside: number;
  package: number;
}

const ONE: Weights = {
  entry: 1,
  imported: 1,
  nested: 1,
  required: 1,
  json: 1,
  dynamic: 1,
  beside: 1,
  package: 1,
};

const productOf = (weights: Weights): number => Object.values(weights).reduce((a, b) => a * b, 1);

const filesOf = (weights: Weights, comment: string): Readonly<Record<string, string>> => ({
  'package.json': '{"type":"module"}',
  'index.js': workingCode(
    NAME,
    `(n) => n * ${weights.entry} * imported * required.weight * table.weight * dynamic * beside.weight * packaged`,
    `
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { imported } from './imported.js';
import table from './table.json' with { type: 'json' };
import packaged from 'weigher';
const require = createRequire(import.meta.url);
const required = require('./lib/required');
const { dynamic } = await import('./dynamic.mjs');
const beside = JSON.parse(readFileSync(new URL('./beside.dat', import.meta.url), 'utf8'));
`,
  ),
  'imported.js': `// ${comment}\nimport { nested } from './deep/er/nested.js';\nexport const imported = ${weights.imported} * nested;`,
  'deep/er/nested.js': `export { nested } from '../../shared.js';`,
  'shared.js': `export const nested = ${weights.nested};`,
  'lib/package.json': '{"type":"commonjs"}',
  'lib/required.js': `module.exports = { weight: require('./weight.js').weight };`,
  'lib/weight.js': `exports.weight = ${weights.required};`,
  'table.json': JSON.stringify({ weight: weights.json }),
  'dynamic.mjs': `export const dynamic = ${weights.dynamic};`,
  'beside.dat': JSON.stringify({ weight: weights.beside }),
  'node_modules/weigher/package.json': JSON.stringify({
    name: 'weigher',
    version: `1.0.${weights.package}`,
    type: 'module',
    main: './index.js',
  }),
  'node_modules/weigher/index.js': `export default ${weights.package};`,
});

/** Three of them, drawn by lot; all in the deep form. */
const drawn = <T>(all: readonly T[]): readonly T[] =>
  byForm({
    short: fc.sample(fc.shuffledSubarray([...all], { minLength: 3, maxLength: 3 }), 1)[0] ?? [],
    deep: all,
  });

const readFired = (dir: string): readonly string[] => readFileSync(join(dir, FIRED_FILE), 'utf8').split('\n');

describe('code that changed and says the same version', () => {
  let dir: TempDir;
  let broker: TestBroker;
  let nc: NatsConnection;
  let guest: NatsConnection;
  let agents: ModuleAgents;
  const weights = { ...ONE };
  let comment = '';
  let added = 0;

  const write = (): string =>
    writeSourceModule(
      join(dir.path, NAME),
      sourceManifest(NAME, { limits: { crashes: 100 } }),
      filesOf(weights, comment),
    );
  const plan = (text: string): void => writeFileSync(join(dir.path, 'fail', NAME), text);
  const ask = async <T>(subject: string, body: object): Promise<T> =>
    (await nc.request(subject, JSON.stringify(body), { timeout: 60_000 })).json<T>();
  const reload = async (): Promise<void> => {
    const status = await ask<ModuleStatus>(OPS.moduleReload, { name: NAME });
    assert.equal(status.state, 'loaded', JSON.stringify(status));
  };
  const add = async (n: number): Promise<void> => {
    const reply = await guest.request(`call.${NAME}.add.a`, JSON.stringify({ n }), { timeout: 60_000 });
    assert.equal(reply.json<{ status: string }>().status, 'ok');
    added += n;
  };
  const sum = (): number => (agents.get('a')?.state as { sum: number } | undefined)?.sum ?? 0;
  const check = () => tallystick(['replay', 'rebuild', NAME, '--check'], { dataDir: broker.dataDir });
  const killed = (): number =>
    broker.stderr.filter((line) => /\[supervisor\] .*\(signal:SIGKILL\)/.test(line)).length;
  const foldedAnew = (): number =>
    broker.stderr.filter((line) => line.includes('by other code: they are folded from the log again')).length;

  before(async () => {
    dir = tempDir();
    mkdirSync(join(dir.path, 'fail'));
    const module = write();
    broker = await startBroker({
      args: ['--no-shipped', '--durability', 'os', '--module', module],
      env: { [FAIL_VARIABLE]: join(dir.path, 'fail') },
    });
    nc = await connectOperator(broker.dataDir);
    guest = await connect({ servers: broker.url });
    agents = new ModuleAgents(NAME, broker.dataDir);
    await add(3);
    await add(4);
    await waitFor('the snapshot', () => sum() === 7);
  });
  after(async () => {
    await agents?.close();
    await guest?.close();
    await nc?.close();
    await broker?.[Symbol.asyncDispose]();
    await dir?.[Symbol.asyncDispose]();
  });

  const edited = fc.constantFrom(...(Object.keys(ONE) as (keyof Weights)[]));

  for (const file of drawn(Object.keys(ONE) as (keyof Weights)[])) {
    it(`I6 an edit of the ${file} file alone is folded anew`, async () => {
      const before = foldedAnew();
      weights[file] += 1;
      write();
      await reload();
      assert.equal(sum(), added * productOf(weights));
      assert.equal(foldedAnew(), before + 1);
    });
  }

  itInDeep('I6 whatever is edited, the states are what the log gives by the code of now', async () => {
    const edits = fc.uniqueArray(edited, { maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(
        edits,
        fc.integer({ min: 1, max: 3 }),
        fc.integer({ min: 1, max: 9 }),
        async (files, weight, n) => {
          const before = productOf(weights);
          for (const file of files) weights[file] = weight;
          write();
          await reload();
          assert.equal(sum(), added * productOf(weights), `before: ${before}`);
          await add(n);
          await waitFor('the snapshot', () => sum() === added * productOf(weights));
        },
      ),
      { numRuns: 2 },
    );
  });

  itInDeep(
    'the same code is not folded again, also where files that it does not lead to change',
    async () => {
      await reload();
      const before = foldedAnew();
      writeFileSync(join(dir.path, NAME, 'notes.txt'), 'whatever');
      writeFileSync(join(dir.path, NAME, 'unused.js'), 'export const no = 1;');
      await reload();
      assert.equal(foldedAnew(), before);
      comment = 'only a comment';
      write();
      await reload();
      assert.equal(foldedAnew(), before + 1);
      assert.equal(sum(), added * productOf(weights));
    },
  );

  itInDeep('I6 a rebuild says of snapshots that other code folded that they cannot be compared', async () => {
    weights.nested += 1;
    write();
    const { code, stderr } = await check();
    assert.equal(code, 1, stderr);
    assert.match(stderr, /SNAPSHOTS_UNAVAILABLE: .*folded by other code, of the same version/);
  });

  const POINTS = [
    'host.starting',
    'host.epoch-opened',
    'host.folding',
    'host.snapshot-begun',
    'host.snapshot-written',
    'host.folded',
    'host.ready',
  ];
  for (const point of drawn(POINTS)) {
    itInDeep(
      `I6 killed at ${point} between the change and the fold, it is folded by the new code all the same`,
      async () => {
        weights.imported += 1;
        write();
        plan(`${point}@1:kill`);
        const before = killed();
        // The next process has the new code, and is killed in its start.
        const { pid } = await ask<ModuleStatus>(OPS.moduleInfo, { name: NAME });
        process.kill(pid as number, 'SIGKILL');
        await waitFor('the kill', () =>
          readFired(join(dir.path, 'fail')).includes(`${NAME} ${point}@1:kill`),
        );
        // Until the broker has seen both ends, it may still say that the process that was killed is loaded.
        await waitFor('both ends to be seen', () => killed() >= before + 2, 30_000);
        await waitFor('the states of the new code', () => sum() === added * productOf(weights), 30_000);
        await waitFor('the module to handle again', async () => {
          const { state } = await ask<ModuleStatus>(OPS.moduleInfo, { name: NAME });
          return state === 'loaded';
        });
      },
    );
  }

  it('I6 after all of that the snapshots are what the log gives, and say so', async () => {
    const after = await check();
    assert.equal(after.code, 0, after.stderr);
  });
});
