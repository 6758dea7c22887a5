import assert from 'node:assert/strict';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { FAIL_VARIABLE } from '../../../broker/journal/fail-point.js';
import { HEADER } from '../../../schemas/headers.js';
import type { Manifest } from '../../../schemas/manifest.js';
import { splitSubject } from '../../../schemas/subjects.js';
import { meterV1 } from '../../fixtures/modules/meter-v1/manifest.js';
import { meterV2 } from '../../fixtures/modules/meter-v2/manifest.js';
import { startBroker, type TestBroker } from '../../support/broker.js';
import { checkLog } from '../../support/log-checks.js';
import { writeModule } from '../../support/module-dir.js';
import { moduleCommand, moduleStatus } from '../../support/modules.js';
import { natsCall } from '../../support/requests.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';

describe('a module whose schema changes', () => {
  let dir: TempDir;
  let broker: TestBroker;

  before(async () => {
    dir = tempDir();
    await mkdir(join(dir.path, 'fail'));
    const env = { [FAIL_VARIABLE]: join(dir.path, 'fail') };
    broker = await startBroker({ args: ['--no-shipped', '--durability', 'os'], env });
  });
  after(async () => {
    await broker?.[Symbol.asyncDispose]();
    await dir?.[Symbol.asyncDispose]();
  });

  const dirOf = (name: string): string => join(dir.path, name);
  const v1 = (name: string, change: Partial<Manifest> = {}): Promise<string> =>
    writeModule(dirOf(name), 'meter-v1', { ...meterV1(name), ...change });
  const v2 = (name: string, change: Partial<Manifest> = {}): Promise<string> =>
    writeModule(dirOf(name), 'meter-v2', { ...meterV2(name), ...change });
  /** A file that the code of the module looks for in its working directory. */
  const mark = async (name: string, file: string): Promise<void> => {
    await mkdir(dirOf(name), { recursive: true });
    await writeFile(join(dirOf(name), file), '');
  };
  const unmark = (name: string, file: string): Promise<void> => rm(join(dirOf(name), file));

  const module = async (verb: string, argument: string): Promise<void> => {
    const { code, stderr } = await moduleCommand(broker, verb, argument);
    assert.equal(code, 0, stderr);
  };
  const load = async (made: Promise<string>): Promise<void> => module('load', await made);
  const reload = async (made: Promise<string>, name: string): Promise<void> => {
    await made;
    await module('reload', name);
  };
  const call = async (address: string, data: object = {}): Promise<unknown> => {
    const { result } = await natsCall(broker.url, address, JSON.stringify(data));
    return result.status === 'ok' ? result.data : result.error.code;
  };
  const measure = (name: string, ...data: readonly object[]): Promise<unknown> =>
    data.reduce<Promise<unknown>>(
      (last, each) => last.then(() => call(`${name}.measure.a`, each)),
      Promise.resolve(),
    );
  const show = (name: string): Promise<unknown> => call(`${name}.show.a`);

  /** A reload that ends with the module parked; what its process said. */
  const parked = async (made: Promise<string>, name: string): Promise<string> => {
    const before = broker.stderr.length;
    await made;
    const { code, stderr } = await moduleCommand(broker, 'reload', name);
    assert.equal(code, 1, stderr);
    assert.equal((JSON.parse(stderr) as { error: { code: string } }).error.code, 'MODULE_START_FAILED');
    await moduleStatus(broker, name, ({ state }) => state === 'crashed');
    return broker.stderr.slice(before).join('\n');
  };

  /** `Tally-Schema` of a module's records: kind and version, in their order; the log as a whole has no findings. */
  const versions = async (name: string): Promise<readonly string[]> => {
    const found: string[] = [];
    const { findings } = await checkLog(broker.dataDir, (message) => {
      const subject = splitSubject(message.subject);
      if (subject === undefined || subject.kind === 'epoch' || subject.module !== name) return;
      if (subject.name === 'show' || (subject.kind === 'cmd' && subject.sender !== name)) return;
      found.push(`${subject.kind} ${subject.name} ${message.header(HEADER.schema)}`);
    });
    assert.deepEqual(findings, []);
    return found.sort();
  };

  it('I6 what version 1 recorded is upcast by version 2, after a kill too', async () => {
    await load(v1('meter'));
    await measure('meter', { amount: 5 }, { amount: 7 });
    assert.deepEqual(await show('meter'), { total: 12 });
    await reload(v2('meter'), 'meter');
    const upcast = { count: 2, sums: { kWh: 12 } };
    assert.deepEqual(await show('meter'), upcast);
    await measure('meter', { value: 3, unit: 'm3' }, { value: 1, unit: 'kWh' });
    const both = { count: 4, sums: { kWh: 13, m3: 3 } };
    assert.deepEqual(await show('meter'), both);

    const { pid } = await moduleStatus(broker, 'meter', ({ state }) => state === 'loaded');
    process.kill(pid as number, 'SIGKILL');
    await moduleStatus(broker, 'meter', (status) => status.state === 'loaded' && status.pid !== pid);
    assert.deepEqual(await show('meter'), both);
    await module('unload', 'meter');
    await module('load', dirOf('meter'));
    assert.deepEqual(await show('meter'), both);
  });

  it('results and events bear the version that wrote them, commands that of none', async () => {
    await load(v1('bearing'));
    await measure('bearing', { amount: 1 });
    await reload(v2('bearing'), 'bearing');
    await measure('bearing', { value: 1, unit: 'm3' });
    const both = ['evt measured', 'res measure', 'res ring'].flatMap((each) => [`${each} 1`, `${each} 2`]);
    const expected = ['cmd ring 1', 'cmd ring 1', ...both].sort();
    await waitFor('all copies', async () => {
      const found = await versions('bearing');
      return found.length === expected.length && found;
    });
    assert.deepEqual(await versions('bearing'), expected);
  });

  it('I4 a copy that the broker stores after a crash bears the version of its result', async () => {
    await load(v2('killed'));
    const { pid } = await moduleStatus(broker, 'killed', ({ state }) => state === 'loaded');
    const plan = join(dir.path, 'fail', 'killed');
    // Between the acknowledgement of the result and its first copy.
    await writeFile(plan, 'host.acknowledged@1:kill\n');
    process.kill(pid as number, 'SIGUSR2');
    await waitFor('the plan to be taken', async () => (await readFile(plan, 'utf8')) === '');
    await measure('killed', { value: 1, unit: 'm3' });
    await moduleStatus(broker, 'killed', (status) => status.state === 'loaded' && status.pid !== pid);
    const expected = ['cmd ring 1', 'evt measured 2', 'res measure 2', 'res ring 2'];
    await waitFor('all copies', async () => (await versions('killed')).length === expected.length);
    assert.deepEqual(await versions('killed'), expected);
    const said = '[killed] 2 copies that a crash left out are stored';
    assert.ok(broker.stderr.some((line) => line.endsWith(said)));
  });

  it('I6 a snapshot of another version is folded anew, and one of the same is not', async () => {
    await mark('forged', 'forging');
    await load(v1('forged'));
    await measure('forged', { amount: 5 });
    assert.deepEqual(await show('forged'), { total: 1_005 });
    await unmark('forged', 'forging');
    await module('reload', 'forged');
    assert.deepEqual(await show('forged'), { total: 1_005 }, 'from its snapshot');
    await reload(v2('forged'), 'forged');
    assert.deepEqual(await show('forged'), { count: 1, sums: { kWh: 5 } });
  });

  it('I6 nor is one of another schema in a module of the same version', async () => {
    await mark('careless', 'forging');
    await load(v1('careless'));
    await measure('careless', { amount: 5 });
    await unmark('careless', 'forging');
    await reload(v2('careless', { version: '1.0.0' }), 'careless');
    assert.deepEqual(await show('careless'), { count: 1, sums: { kWh: 5 } });
  });

  it('a record of a newer version is SCHEMA_TOO_NEW: the module is parked, and whole when that version is back', async () => {
    await load(v2('back'));
    await measure('back', { value: 2, unit: 'm3' });
    const said = await parked(v1('back'), 'back');
    assert.match(
      said,
      /\[back\] .*SCHEMA_TOO_NEW: record \d+ cannot be folded: res\.back\.measure\.a is of schema version 2, the code of back 1\.0\.0 of 1: load the version of back that wrote it, or a later one/,
    );
    await reload(v2('back'), 'back');
    assert.deepEqual(await show('back'), { count: 1, sums: { m3: 2 } });
  });

  it('an upcaster that was forgotten parks the module before a state is made of it', async () => {
    await load(v1('lapse'));
    await measure('lapse', { amount: 5 });
    await mark('lapse', 'forgotten');
    const said = await parked(v2('lapse'), 'lapse');
    assert.match(
      said,
      /\[lapse\] .*FOLD_FAILED: record \d+ cannot be folded: event measured of schema version 1/,
    );
    await unmark('lapse', 'forgotten');
    await reload(v2('lapse'), 'lapse');
    assert.deepEqual(await show('lapse'), { count: 1, sums: { kWh: 5 } });
  });

  it('an upcaster for a version that is none, and code of another schema than the manifest, are told', async () => {
    await load(v1('typo'));
    await mark('typo', 'misnamed');
    assert.match(
      await parked(v2('typo'), 'typo'),
      /\[typo\] .*UPCAST_INVALID: typo: upcast\/2 is for no version below 2/,
    );
    await unmark('typo', 'misnamed');
    const said = await parked(v2('typo', { schema: 3 }), 'typo');
    assert.match(said, /the manifest file is of typo 2\.0\.0, schema 3, the code of typo 2\.0\.0, schema 2/);
  });
});
