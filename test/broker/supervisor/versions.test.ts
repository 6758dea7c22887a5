import assert from 'node:assert/strict';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { isDeepStrictEqual } from 'node:util';
import type { NatsConnection } from 'nats';
import { ask } from '../../../link/request-broker.js';
import { FAIL_VARIABLE } from '../../../system/processes/fail-point.js';
import { ModuleAgents } from '../../../store/snapshots/index.js';
import { HEADER } from '../../../schemas/headers.js';
import type { Manifest } from '../../../schemas/manifest.js';
import { type ModuleStatus, OPS } from '../../../schemas/operate.js';
import type { Result } from '../../../schemas/result.js';
import { splitSubject } from '../../../schemas/subjects.js';
import { meterV1 } from '../../fixtures/modules/meter-v1/manifest.js';
import { meterV2 } from '../../fixtures/modules/meter-v2/manifest.js';
import { startBroker, type TestBroker } from '../../support/broker.js';
import { failure, success } from '../../support/either.js';
import { inDeep } from '../../support/form.js';
import { checkLog, connectOperator } from '../../support/log-checks.js';
import { writeModule } from '../../support/module-dir.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';

const itInDeep = inDeep(it);

const TIMEOUT_MS = 60_000;
const PARKED_AT_ONCE: Partial<Manifest> = { limits: { crashes: 1 } };

describe('a module whose schema changes', () => {
  let dir: TempDir;
  let broker: TestBroker;
  let nc: NatsConnection;

  before(async () => {
    dir = tempDir();
    await mkdir(join(dir.path, 'fail'));
    const env = { [FAIL_VARIABLE]: join(dir.path, 'fail') };
    broker = await startBroker({ args: ['--no-shipped', '--durability', 'os'], env });
    nc = await connectOperator(broker.dataDir);
  });
  after(async () => {
    await nc?.close();
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

  const status = async (name: string): Promise<ModuleStatus> =>
    success(await ask<ModuleStatus>(nc, OPS.moduleInfo, { name })());
  const load = async (made: Promise<string>): Promise<void> => {
    success(await ask(nc, OPS.moduleLoad, { dir: await made }, TIMEOUT_MS)());
  };
  const reload = async (name: string, made?: Promise<string>): Promise<void> => {
    await made;
    success(await ask(nc, OPS.moduleReload, { name }, TIMEOUT_MS)());
  };
  /** A reload that ends with the module parked; what its process said. */
  const parked = async (name: string, made: Promise<string>): Promise<string> => {
    const before = broker.stderr.length;
    await made;
    if ((await status(name)).state === 'loaded') {
      const tried = failure(await ask(nc, OPS.moduleReload, { name }, TIMEOUT_MS)());
      assert.equal(tried.code, 'MODULE_START_FAILED', tried.message);
      assert.equal((await status(name)).state, 'loaded', 'a trial comes first, and the module runs on');
    }
    const refused = failure(await ask(nc, OPS.moduleReload, { name, untried: true }, TIMEOUT_MS)());
    assert.equal(refused.code, 'MODULE_START_FAILED', refused.message);
    assert.equal((await status(name)).state, 'crashed');
    return broker.stderr.slice(before).join('\n');
  };

  const call = async (address: string, data: object = {}): Promise<unknown> => {
    const reply = await nc.request(`call.${address}`, JSON.stringify(data), { timeout: TIMEOUT_MS });
    const result = reply.json<Result>();
    return result.status === 'ok' ? result.data : result.error;
  };
  const measure = async (name: string, ...all: readonly object[]): Promise<void> => {
    for (const data of all) assert.deepEqual(await call(`${name}.measure.a`, data), {});
  };
  const show = (name: string): Promise<unknown> => call(`${name}.show.a`);
  /** The state as another process finds it, without asking the module. */
  const lookUp = async (name: string): Promise<unknown> => {
    const agents = new ModuleAgents(name, broker.dataDir);
    const found = agents.get('a');
    await agents.close();
    return { schema: found?.schema, state: found?.state };
  };

  /** `Tally-Schema` of what a module wrote: kind, name and version; the log as a whole has no findings. */
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
  const bears = async (name: string, expected: readonly string[]): Promise<void> => {
    await waitFor('all copies', async () => (await versions(name)).length >= expected.length);
    assert.deepEqual(await versions(name), [...expected].sort());
  };

  it('I6 what version 1 recorded is upcast by version 2; each record bears the version that wrote it', async () => {
    await load(v1('meter'));
    await measure('meter', { amount: 5 }, { amount: 7 });
    assert.deepEqual(await show('meter'), { total: 12 });
    const before = { schema: 1, state: { total: 12 } };
    await waitFor('the snapshot', async () => isDeepStrictEqual(await lookUp('meter'), before));

    await reload('meter', v2('meter'));
    const upcast = { count: 2, sums: { kWh: 12 } };
    assert.deepEqual(await show('meter'), upcast);
    assert.deepEqual(await lookUp('meter'), { schema: 2, state: upcast });
    await measure('meter', { value: 3, unit: 'm3' }, { value: 1, unit: 'kWh' });
    const both = { count: 4, sums: { kWh: 13, m3: 3 } };
    assert.deepEqual(await show('meter'), both);

    const { pid } = await status('meter');
    process.kill(pid as number, 'SIGKILL');
    await waitFor('another process', async () => {
      const now = await status('meter');
      return now.state === 'loaded' && now.pid !== pid;
    });
    assert.deepEqual(await show('meter'), both, 'after a kill');

    const written = ['evt measured', 'res measure', 'res ring'].flatMap((each) => [`${each} 1`, `${each} 2`]);
    const commands = new Array<string>(4).fill('cmd ring 1');
    await bears('meter', [...commands, ...written, ...written]);
  });

  itInDeep('I4 a copy that the broker stores after a crash bears the version of its result', async () => {
    await load(v2('killed'));
    const { pid } = await status('killed');
    const plan = join(dir.path, 'fail', 'killed');
    // Between the acknowledgement of the result and its first copy.
    await writeFile(plan, 'host.acknowledged@1:kill\n');
    process.kill(pid as number, 'SIGUSR2');
    await waitFor('the plan to be taken', async () => (await readFile(plan, 'utf8')) === '');
    await measure('killed', { value: 1, unit: 'm3' });
    await bears('killed', ['cmd ring 1', 'evt measured 2', 'res measure 2', 'res ring 2']);
    const said = '[killed] 2 copies that a crash left out are stored';
    assert.ok(broker.stderr.some((line) => line.endsWith(said)));
  });

  itInDeep(
    'I6 a snapshot of another version, or of another schema, is folded again; one of the same is not',
    async () => {
      await mark('forged', 'forging');
      await load(v1('forged'));
      await measure('forged', { amount: 5 });
      assert.deepEqual(await show('forged'), { total: 1_005 });
      await unmark('forged', 'forging');
      await reload('forged');
      assert.deepEqual(await show('forged'), { total: 1_005 }, 'from its snapshot');
      await reload('forged', v2('forged', { version: '1.0.0' }));
      assert.deepEqual(await show('forged'), { count: 1, sums: { kWh: 5 } }, 'of another schema');
      await mark('forged', 'forging');
      await reload('forged', v2('forged'));
      assert.deepEqual(await show('forged'), { count: 1, sums: { kWh: 1_005 } }, 'of another version');
    },
  );

  it('a record of a newer version is SCHEMA_TOO_NEW: the module is parked, and whole when that version is back', async () => {
    await load(v2('back'));
    await measure('back', { value: 2, unit: 'm3' });
    const whole = { count: 1, sums: { m3: 2 } };
    const said = await parked('back', v1('back', PARKED_AT_ONCE));
    assert.match(
      said,
      /\[back\] .*SCHEMA_TOO_NEW: record \d+ cannot be folded: res\.back\.measure\.a is of schema version 2, the code of back 1\.0\.0 of 1: load the version of back that wrote it, or a later one/,
    );
    assert.deepEqual(await lookUp('back'), { schema: 2, state: whole }, 'who looks it up meanwhile');
    await reload('back', v2('back'));
    assert.deepEqual(await show('back'), whole);
  });

  itInDeep('a mistake of its author parks the module before a state is made of it', async () => {
    await load(v1('lapse'));
    await measure('lapse', { amount: 5 });
    await mark('lapse', 'forgotten');
    const forgotten = await parked('lapse', v2('lapse', PARKED_AT_ONCE));
    assert.match(
      forgotten,
      /\[lapse\] .*FOLD_FAILED: record \d+ cannot be folded: event measured of schema version 1/,
    );
    await mark('lapse', 'misnamed');
    const misnamed = await parked('lapse', v2('lapse', PARKED_AT_ONCE));
    assert.match(misnamed, /\[lapse\] .*UPCAST_INVALID: lapse: upcast\/2 is for no version below 2/);
    const other = await parked('lapse', v2('lapse', { ...PARKED_AT_ONCE, schema: 3 }));
    assert.match(
      other,
      /the manifest file is of lapse 2\.0\.0, schema 3, the code of lapse 2\.0\.0, schema 2/,
    );
    await unmark('lapse', 'forgotten');
    await unmark('lapse', 'misnamed');
    await reload('lapse', v2('lapse'));
    assert.deepEqual(await show('lapse'), { count: 1, sums: { kWh: 5 } });
  });
});
