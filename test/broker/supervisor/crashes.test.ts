import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { manifest as faulty } from '../../fixtures/modules/faulty/manifest.js';
import { plain } from '../../fixtures/modules/plain/manifest.js';
import { startBroker, tallystick, type TestBroker } from '../../support/broker.js';
import { codeMsOf, passedOf } from '../../../broker/supervisor/code-time.js';
import type { Manifest } from '../../../schemas/manifest.js';
import { inDeep } from '../../support/form.js';
import { followLog, type LogFollower } from '../../support/log-follower.js';
import { writeManifest, writeModule } from '../../support/module-dir.js';
import { moduleCommand, moduleStatus } from '../../support/modules.js';
import { isAlive, processesMentioning } from '../../support/processes.js';
import { natsCall, natsCommand } from '../../support/requests.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';

const itInDeep = inDeep(it);

describe('a module that crashes', () => {
  let dir: TempDir;
  let broker: TestBroker;
  let log: LogFollower;

  before(async () => {
    dir = tempDir();
    const modules = [
      await writeModule(join(dir.path, 'fragile'), 'plain', plain('fragile')),
      await writeModule(join(dir.path, 'steady'), 'plain', plain('steady')),
      await writeModule(join(dir.path, 'faulty'), 'faulty', faulty),
    ];
    const args = modules.flatMap((module) => ['--module', module]);
    broker = await startBroker({ args: ['--no-shipped', '--durability', 'os', ...args] });
    log = followLog(broker.dataDir);
  });
  after(async () => {
    await log?.[Symbol.asyncDispose]();
    await broker?.[Symbol.asyncDispose]();
    await dir?.[Symbol.asyncDispose]();
  });

  const call = async (address: string, payload = '{}') => {
    const { result } = await natsCall(broker.url, address, payload);
    return result.status === 'ok' ? result.data : result.error.code;
  };
  const said = (pattern: RegExp): readonly string[] => broker.stderr.filter((line) => pattern.test(line));
  const broken = (): string => join(dir.path, 'fragile', 'broken');

  it('what a module prints is in the log of the broker, line by line, with its name', () => {
    assert.equal(said(/^\d{4}-\S+Z \[steady\] steady 1\.0\.0 begins$/).length, 1);
    assert.equal(said(/^\d{4}-\S+Z \[fragile\] fragile 1\.0\.0 begins$/).length, 1);
  });

  it('I3 it is started again, the crash is reported, and what was sent meanwhile is answered', async () => {
    const { pid } = await moduleStatus(broker, 'steady', ({ state }) => state === 'loaded');
    process.kill(pid ?? 0, 'SIGKILL');
    assert.equal(await call('steady.echo.alice', '"still here"'), 'still here');
    const status = await moduleStatus(broker, 'steady', ({ state }) => state === 'loaded');
    assert.equal(status.restarts, 1);
    assert.equal(status.reason, 'its process ended (signal:SIGKILL)');
    assert.notEqual(status.pid, pid);
    assert.equal(
      said(/\[supervisor\] steady: its process ended \(signal:SIGKILL\); it starts again/).length,
      1,
    );
  });

  it('one that keeps crashing is started again after pauses that double, then parked; the rest runs on', async () => {
    await writeFile(broken(), '');
    const { pid } = await moduleStatus(broker, 'fragile', ({ state }) => state === 'loaded');
    process.kill(pid ?? 0, 'SIGKILL');
    const parked = await moduleStatus(broker, 'fragile', ({ state }) => state === 'crashed');
    assert.match(
      parked.reason ?? '',
      /^parked after 4 crashes within a minute, the last: .*\(exit:7\): .*exit code 7 while it was loaded$/,
    );
    assert.equal(parked.pid, null);
    const pauses = said(/\[supervisor\] fragile: .*it starts again in/).map(
      (line) => /in (\d+) ms/.exec(line)?.[1],
    );
    assert.deepEqual(pauses, ['100', '200', '400']);
    assert.equal(said(/\[fragile\] fragile is broken$/).length, 3);
    assert.equal(
      said(/\[supervisor\] fragile: parked .*`(?:npx )?tallystick module reload fragile`/).length,
      1,
    );
    assert.equal(await call('steady.echo.alice', '1'), 1);
  });

  it('I3 callers of a parked module are told at once; its commands wait, and are answered after a reload', async () => {
    assert.equal(await call('fragile.echo.alice'), 'MODULE_UNAVAILABLE');
    const seq = await natsCommand(broker.url, 'fragile.echo.alice', '{"waited":true}');
    const failed = await moduleCommand(broker, 'reload', 'fragile');
    assert.equal(failed.code, 1);
    assert.match(
      failed.stderr,
      /MODULE_START_FAILED.*fragile did not start: .*exit:7.*the broker still tries/,
    );
    const parked = await moduleStatus(broker, 'fragile', ({ state }) => state === 'crashed');
    assert.match(parked.reason ?? '', /^parked after 4 crashes/);
    assert.equal(log.resultsOf(seq).length, 0);

    await rm(broken());
    const { json } = await moduleCommand(broker, 'reload', 'fragile');
    assert.deepEqual([json?.state, json?.restarts, json?.reason], ['loaded', 0, null]);
    assert.deepEqual(await log.result(seq), { status: 'ok', data: { waited: true } });
    assert.equal(await call('fragile.echo.alice', '2'), 2);
  });

  it('I3 one that is stopped is noticed by its silence and replaced, and nothing is handled twice', async () => {
    assert.deepEqual(await call('faulty.ok.stopped', '{"add":1}'), { total: 1 });
    const { pid } = await moduleStatus(broker, 'faulty', ({ state }) => state === 'loaded');
    process.kill(pid ?? 0, 'SIGSTOP');
    const seqs = [];
    for (let i = 0; i < 5; i++) seqs.push(await natsCommand(broker.url, 'faulty.ok.stopped', '{"add":1}'));
    for (const seq of seqs) assert.equal((await log.result(seq)).status, 'ok');
    assert.deepEqual(await call('faulty.ok.stopped'), { total: 6 });
    assert.equal(isAlive(pid ?? 0), false);
    assert.equal(
      said(new RegExp(`\\[supervisor\\] faulty: process ${pid} has been silent for \\d+ ms`)).length,
      1,
    );
    const status = await moduleStatus(broker, 'faulty', ({ state }) => state === 'loaded');
    assert.equal(status.reason, 'its process ended (hang)');
  });

  itInDeep('one that cannot fold what the log has of it is parked, not tried for ever', async () => {
    const at = await writeModule(join(dir.path, 'forgetful'), 'plain', plain('forgetful'));
    assert.equal((await moduleCommand(broker, 'load', at)).json?.state, 'loaded');
    assert.deepEqual(await call('forgetful.note.alice'), { notes: 1 });
    await writeFile(join(at, 'forgets'), '');
    await rm(join(broker.dataDir, 'snapshots', 'forgetful'), { recursive: true });
    const { code, stderr } = await moduleCommand(broker, 'reload', 'forgetful', '--no-trial');
    assert.equal(code, 1);
    assert.match(stderr, /MODULE_START_FAILED.*forgetful did not start/);
    const parked = await moduleStatus(broker, 'forgetful', ({ state }) => state === 'crashed');
    assert.match(parked.reason ?? '', /parked after 4 crashes/);
    assert.ok(said(/\[forgetful\] .*record \d+ cannot be folded: what was that\?/).length > 0);

    await rm(join(at, 'forgets'));
    assert.equal((await moduleCommand(broker, 'reload', 'forgetful')).json?.state, 'loaded');
    assert.deepEqual(await call('forgetful.note.alice'), { notes: 2 });
  });

  itInDeep(
    'code that never ends is an error, and the command says what it waits for before that',
    async () => {
      const at = join(dir.path, 'spin');
      const limits = { startMs: 2_500, crashes: 1 };
      await writeManifest(at, { ...plain('spin'), limits, start: { entry: './index.js' } });
      await writeFile(join(at, 'index.js'), 'while (true) {}');
      const loaded = await tallystick(['module', 'load', at], { dataDir: broker.dataDir, timeoutMs: 60_000 });
      assert.equal(loaded.code, 1);
      assert.match(loaded.stderr, /^the broker waits for the code in .*spin to be loaded, .*\n/);
      assert.match(loaded.stderr, /MODULE_START_FAILED: .*within 2500 ms: its code was still being loaded/);
      const asJson = await moduleCommand(broker, 'load', at);
      const [waiting, problem] = asJson.stderr
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as object);
      assert.deepEqual(Object.keys(waiting ?? {}), ['waiting']);
      assert.deepEqual(Object.keys(problem ?? {}), ['error']);
      // The time is short where a manifest says nothing, and as long as it says else.
      const manifest = plain('spin') as Manifest;
      assert.equal(codeMsOf({ ...manifest, start: { entry: './index.js' } }), 15_000);
      assert.equal(codeMsOf({ ...manifest, start: { command: ['slow-vm'] } }), 30_000);
      assert.equal(codeMsOf({ ...manifest, limits, start: { entry: './index.js' } }), 2_500);
      // A timer that waits for what is left looks again when the time of the code is over.
      const times = { withinMs: 30_000, codeMs: 15_000 };
      assert.equal(times.withinMs - passedOf(0, false, times), 15_000);
      assert.equal(times.withinMs - passedOf(15_000, false, times), 0);
      assert.equal(times.withinMs - passedOf(15_000, true, times), 15_000);
      assert.equal(passedOf(2_000, false, { withinMs: 1_000, codeMs: 3_000 }), 2_000);
    },
  );

  itInDeep(
    'one that does not become ready in time is given up after so many starts, and leaves no process',
    async () => {
      const limits = { startMs: 500, crashes: 2 };
      const at = await writeModule(join(dir.path, 'slow'), 'plain', { ...plain('slow'), limits });
      await writeFile(join(at, 'slow'), '');
      const { code, stderr } = await moduleCommand(broker, 'load', at);
      assert.equal(code, 1);
      assert.match(stderr, /slow did not start: it was not ready within 500 ms/);
      const { pid, reason } = await moduleStatus(broker, 'slow', ({ state }) => state === 'crashed');
      assert.equal(pid, null);
      assert.match(reason ?? '', /parked after 2 .*: it was not ready within 500 ms/);
      assert.deepEqual(processesMentioning(at), []);
    },
  );
});
