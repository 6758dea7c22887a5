import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect, type NatsConnection } from 'nats';
import type { Fault } from '../../../schemas/errors.js';
import type { Manifest } from '../../../schemas/manifest.js';
import type { ModuleStats, ModuleStatus } from '../../../schemas/operate.js';
import type { Result } from '../../../schemas/result.js';
import { plain } from '../../fixtures/modules/plain/manifest.js';
import { startBroker, type TestBroker, tallystick } from '../../support/broker.js';
import { endedByItself } from '../../support/ended-by-itself.js';
import { followLog, type LogFollower } from '../../support/log-follower.js';
import { writeModule } from '../../support/module-dir.js';
import { type Answer, moduleCommand, moduleStatuses } from '../../support/modules.js';
import { isAlive } from '../../support/processes.js';
import { natsCall, natsCommand } from '../../support/requests.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';

const TOP = plain('top', { base: ['echo'] });

describe('the life cycle of modules', () => {
  let dir: TempDir;
  let broker: TestBroker;
  let log: LogFollower;
  let nc: NatsConnection;
  let files = 0;

  const write = (manifest: Pick<Manifest, 'name'>, change: Partial<Manifest> = {}): Promise<string> =>
    writeModule(join(dir.path, manifest.name), 'plain', { ...manifest, ...change });

  before(async () => {
    dir = tempDir();
    const modules = [await write(plain('base')), await write(TOP)];
    const args = modules.flatMap((module) => ['--module', module]);
    broker = await startBroker({ args: ['--no-shipped', '--durability', 'os', ...args] });
    log = followLog(broker.dataDir);
    nc = await connect({ servers: broker.url });
  });
  after(async () => {
    await nc?.close();
    await log?.[Symbol.asyncDispose]();
    await broker?.[Symbol.asyncDispose]();
    await dir?.[Symbol.asyncDispose]();
  });

  const call = async (address: string, payload = '{}') => {
    const { result } = await natsCall(broker.url, address, payload);
    return result.status === 'ok' ? result.data : result.error.code;
  };
  const faultOf = (stderr: string): Fault => (JSON.parse(stderr) as { error: Fault }).error;
  const states = async (): Promise<Record<string, string>> =>
    Object.fromEntries([...(await moduleStatuses(broker))].map(([name, { state }]) => [name, state]));

  const isRefused = async (): Promise<boolean> => {
    const reply = await nc.request('call.top.echo.bob', '{}', { timeout: 1_000 });
    const result = reply.json<Result>();
    return result.status !== 'ok' && result.error.code === 'MODULE_UNAVAILABLE';
  };

  /**
   * Has a module stop that has something under way. Waits until callers are told so (of one that is unloaded), or its state
   * says so, and until its process has been told: what it is sent before that it may still begin.
   */
  const stopping = async (
    command: 'unload' | 'reload',
  ): Promise<{ readonly ended: Promise<Answer<ModuleStatus>> }> => {
    const told = (): number => broker.stderr.filter((line) => line.includes('[top] stops once')).length;
    const before = told();
    const ended = moduleCommand(broker, command, 'top');
    if (command === 'unload') await waitFor('callers to be refused', isRefused);
    else await waitFor('it to be reloaded', async () => (await states()).top === 'reloading', 30_000);
    await waitFor('the process to be told', () => told() > before);
    return { ended };
  };

  /** An effectful command that is under way until `release` is called. */
  const underWay = async (module: string): Promise<{ seq: number; release: () => Promise<void> }> => {
    files += 1;
    const until = join(dir.path, `release-${files}`);
    const seq = await natsCommand(broker.url, `${module}.waits.alice`, JSON.stringify({ until }));
    await waitFor('the handler to be under way', () =>
      broker.stderr.some((line) => line.includes(`[${module}] handling ${seq} (`)),
    );
    return { seq, release: () => writeFile(until, '') };
  };

  it('list, info and stats tell what runs', async () => {
    assert.equal(await call('top.echo.alice', '7'), 7);
    assert.equal(await call('top.nothing.alice'), 'ACTION_UNKNOWN');
    assert.equal(await call('top.waits.alice', '{"until":1}'), 'PAYLOAD_INVALID');
    const list = await moduleCommand<{ modules: ModuleStatus[] }>(broker, 'list');
    const top = list.json?.modules.find(({ name }) => name === 'top') as ModuleStatus;
    assert.deepEqual(
      [top.state, top.version, top.restarts, top.lag, top.reason],
      ['loaded', '1.0.0', 0, 0, null],
    );
    assert.ok(isAlive(top.pid ?? 0) && (top.rssBytes ?? 0) > 1_000_000 && top.cpuPercent !== null);

    const info = await moduleCommand<ModuleStatus & { manifest: Manifest }>(broker, 'info', 'top');
    assert.equal(info.json?.pid, top.pid);
    assert.deepEqual(info.json?.manifest.dependencies, { base: ['echo'] });

    const stats = await moduleCommand<{ modules: ModuleStats[] }>(broker, 'stats', 'top');
    const calls = stats.json?.modules[0]?.actions.map(({ action, calls: n, errors }) => [action, n, errors]);
    assert.deepEqual(calls, [
      ['echo', 1, 0],
      ['note', 0, 0],
      ['waits', 1, 1],
      ['asks', 0, 0],
    ]);
    await waitFor('the next beat', async () => {
      const { json } = await moduleCommand<{ modules: ModuleStats[] }>(broker, 'stats');
      return json?.modules.find(({ name }) => name === 'top')?.handled === 2;
    });
  });

  it('a name that nobody has is MODULE_UNKNOWN for every command', async () => {
    for (const verb of ['info', 'unload', 'reload', 'stats', 'remove']) {
      const options = verb === 'remove' ? ['--yes'] : [];
      const { code, stderr } = await moduleCommand(broker, verb, 'nobody', ...options);
      assert.deepEqual([code, faultOf(stderr).code], [1, 'MODULE_UNKNOWN'], verb);
    }
  });

  it('a module that nobody has is refused with a command that shows those that are not loaded too', async () => {
    const reply = await nc.request('call.nobody.acts', '{}', { timeout: 10_000 });
    assert.match(reply.string(), /MODULE_UNKNOWN.*`tallystick module list`/);
    assert.doesNotMatch(reply.string(), /micro ls/);
  });

  it('remove --dry-run of a module that runs says that --unload is needed', async () => {
    const dry = await moduleCommand<{ note: string | null }>(broker, 'remove', 'top', '--dry-run');
    assert.match(dry.json?.note ?? '', /^it is loaded: a removal needs --unload/);
    const { code, stderr } = await moduleCommand(broker, 'remove', 'top', '--yes');
    assert.deepEqual([code, faultOf(stderr).code], [1, 'MODULE_STATE']);
    assert.deepEqual(await states(), { base: 'loaded', top: 'loaded' });
  });

  it('a module that is loaded cannot be loaded once more', async () => {
    const { code, stderr } = await moduleCommand(broker, 'load', join(dir.path, 'base'));
    assert.deepEqual([code, faultOf(stderr).code], [1, 'MODULE_STATE']);
    assert.match(faultOf(stderr).message, /tallystick module reload base/);
  });

  it('unload refuses while others need the module, and says which', async () => {
    const { code, stderr } = await moduleCommand(broker, 'unload', 'base');
    assert.deepEqual([code, faultOf(stderr).code], [1, 'DEPENDENTS_LOADED']);
    assert.match(faultOf(stderr).message, /^top need/);
    assert.deepEqual(await states(), { base: 'loaded', top: 'loaded' });
  });

  it('I3 with dependents it takes those first; what is sent meanwhile is answered once they are loaded', async () => {
    const pids = [...(await moduleStatuses(broker)).values()].map(({ pid }) => pid ?? 0);
    assert.equal((await moduleCommand(broker, 'unload', 'base', '--with-dependents')).code, 0);
    assert.deepEqual(await states(), { base: 'unloaded', top: 'unloaded' });
    for (const pid of pids) assert.equal(isAlive(pid), false);
    assert.equal(await call('base.echo.alice'), 'MODULE_UNAVAILABLE');

    const base = await natsCommand(broker.url, 'base.echo.alice', '{"sent":"to base"}');
    const top = await natsCommand(broker.url, 'top.asks.alice', '{"module":"base"}');
    const refused = await moduleCommand(broker, 'unload', 'base');
    assert.equal(refused.json?.state, 'unloaded', 'to unload what is unloaded changes nothing');
    assert.equal((await moduleCommand(broker, 'load', join(dir.path, 'base'))).json?.state, 'loaded');
    assert.deepEqual(await log.result(base), { status: 'ok', data: { sent: 'to base' } });
    assert.equal(log.resultsOf(top).length, 0);
    assert.equal((await moduleCommand(broker, 'load', join(dir.path, 'top'))).json?.state, 'loaded');
    assert.deepEqual(await log.result(top), { status: 'ok', data: { from: 'top' } });
  });

  it('I3 unload lets what is under way finish and begins nothing more', async () => {
    const { seq, release } = await underWay('top');
    const behind = await natsCommand(broker.url, 'top.echo.alice', '"behind"');
    const { ended } = await stopping('unload');
    assert.equal(log.resultsOf(seq).length, 0);
    await release();
    assert.equal((await ended).json?.state, 'unloaded');
    assert.equal((await log.result(seq)).status, 'ok');
    assert.equal(log.resultsOf(behind).length, 0);
    await moduleCommand(broker, 'load', join(dir.path, 'top'));
    assert.deepEqual(await log.result(behind), { status: 'ok', data: 'behind' });
    const handled = broker.stderr.filter((line) => line.includes(`handling ${seq} (`));
    assert.equal(handled.length, 1, 'it was not begun again');
  });

  it('reload takes the manifest and the version that are there now, and what is under way finishes first', async () => {
    const { seq, release } = await underWay('top');
    await write(TOP, { version: '1.1.0' });
    const { ended } = await stopping('reload');
    const calling = nc.request('call.top.echo.bob', '"waits"', { timeout: 30_000 });
    const second = await moduleCommand(broker, 'reload', 'top');
    assert.deepEqual([second.code, faultOf(second.stderr).code], [1, 'MODULE_STATE']);
    await release();
    const { json } = await ended;
    assert.deepEqual([json?.state, json?.version], ['loaded', '1.1.0']);
    assert.equal((await log.result(seq)).status, 'ok');
    assert.deepEqual((await calling).json(), { status: 'ok', data: 'waits' });
    assert.equal(await call('top.echo.alice', '1'), 1);
  });

  it('I3 a handler that calls its own module does not hold up its end, and goes on at the next start', async () => {
    files += 1;
    const until = join(dir.path, `release-${files}`);
    const body = JSON.stringify({ until });
    // The command that it calls waits behind one that is under way.
    const first = await natsCommand(broker.url, 'top.waits.busy-asked', body);
    const asking = await natsCommand(broker.url, 'top.asks.busy', '{"module":"top"}');
    await waitFor('the call', () =>
      log
        .records()
        .some(({ subject, cause }) => subject === 'cmd.top.echo.busy-asked.top' && cause === asking),
    );
    const { ended } = await stopping('unload');
    await writeFile(until, '');
    assert.equal((await ended).json?.state, 'unloaded');
    assert.ok(endedByItself(broker.dataDir, 'top'), 'it was not waited for until it was killed');
    assert.equal((await log.result(first)).status, 'ok');
    assert.equal(log.resultsOf(asking).length, 0);
    await moduleCommand(broker, 'load', join(dir.path, 'top'));
    assert.deepEqual(await log.result(asking), { status: 'ok', data: { from: 'top' } });
    const calls = log.records().filter(({ kind, cause }) => kind === 'cmd' && cause === asking);
    assert.equal(calls.length, 1, 'the call was made once');
  });

  it('a dependency that a new manifest declares may be called, one that it drops may not', async () => {
    const asks = () => call('base.asks.alice', '{"module":"other"}');
    await moduleCommand(broker, 'load', await write(plain('other')));
    assert.equal(await asks(), 'DEPENDENCY_UNDECLARED');
    await write(plain('base', { other: ['echo'] }));
    assert.equal((await moduleCommand(broker, 'reload', 'base', '--grant')).json?.state, 'loaded');
    assert.deepEqual(await asks(), { from: 'base' });
    await write(plain('base'));
    await moduleCommand(broker, 'reload', 'base');
    assert.equal(await asks(), 'DEPENDENCY_UNDECLARED');
  });

  it('a reload that cannot be leaves the running module alone', async () => {
    const before = (await moduleStatuses(broker)).get('top');
    await writeFile(join(dir.path, 'top', 'manifest.json'), '{}');
    const wrong = await moduleCommand(broker, 'reload', 'top');
    assert.equal(faultOf(wrong.stderr).code, 'MANIFEST_INVALID');
    await write(plain('top', { nobody: ['echo'] }));
    const missing = await moduleCommand(broker, 'reload', 'top');
    assert.equal(faultOf(missing.stderr).code, 'DEPENDENCY_MISSING');
    await writeModule(join(dir.path, 'top'), 'plain', plain('renamed'));
    const renamed = await moduleCommand(broker, 'reload', 'top');
    assert.equal(faultOf(renamed.stderr).code, 'MANIFEST_INVALID');
    const now = (await moduleStatuses(broker)).get('top');
    assert.deepEqual([now?.pid, now?.state], [before?.pid, 'loaded']);
    assert.equal(await call('top.echo.alice', '1'), 1);
  });

  it('for people the list is a table and the info says what can be called', async () => {
    const list = await tallystick(['module', 'list'], { dataDir: broker.dataDir });
    assert.match(list.stdout, /^base +1\.0\.0 +loaded /m);
    const info = await tallystick(['module', 'info', 'base'], { dataDir: broker.dataDir });
    assert.match(info.stdout, /^ {2}base\.echo \(an agent\)/m);
  });
});
