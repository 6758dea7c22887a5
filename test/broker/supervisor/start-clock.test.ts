import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { connect } from 'nats';
import { StartClock } from '../../../broker/supervisor/start-clock.js';
import { startBroker } from '../../support/broker.js';
import { moduleCommand } from '../../support/modules.js';
import { PROJECT_ROOT } from '../../support/project-root.js';
import { sourceManifest, workingCode, writeSourceModule } from '../../support/source-module.js';
import { tempDir } from '../../support/temp-dir.js';

const IS_LINUX = process.platform === 'linux';
/** Longer than a process needs to begin, and shorter than it takes where it has a small part of a processor. */
const START_MS = 2_000;

describe('the time that a start may take', () => {
  it('counts from the last progress; no beat is progress that says less, as much, or more than there is', () => {
    const told = fc.array(fc.record({ ms: fc.nat(1_000), folded: fc.integer({ min: -5, max: 150 }) }));
    fc.assert(
      fc.property(told, fc.nat(100), (beats, records) => {
        let now = 0;
        const clock = new StartClock(() => now);
        clock.asked();
        now += 10_000;
        assert.equal(clock.stillMs, 0, 'it waits for the broker');
        clock.answered(records);
        let [most, since] = [0, now];
        for (const { ms, folded } of beats) {
          now += ms;
          clock.folded(folded);
          if (folded > most && folded <= records) [most, since] = [folded, now];
          assert.equal(clock.stillMs, now - since);
        }
      }),
    );
  });

  it('stands still while the process has no processor, however long that takes', {
    skip: !IS_LINUX,
  }, async () => {
    await using home = tempDir();
    const name = 'crowded';
    const dir = join(home.path, name);
    const [cpu = '0'] =
      /Cpus_allowed_list:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.slice(1) ?? [];
    const pinned = ['taskset', '-c', cpu, process.execPath];
    const command = [
      ...pinned,
      join(PROJECT_ROOT, 'dist', 'modules', 'host', 'host-main.js'),
      dir,
      './index.js',
    ];
    const manifest = sourceManifest(name, { limits: { crashes: 1, startMs: START_MS }, start: { command } });
    writeSourceModule(dir, manifest, {
      'package.json': '{"type":"module"}',
      'index.js': workingCode(name).replace(
        'const manifest = ',
        `const manifest = ${JSON.stringify(manifest)};//`,
      ),
    });
    await using broker = await startBroker({ args: ['--no-shipped'] });
    // Sessions of their own, since some systems share the processor among sessions.
    const [program = '', ...args] = [...pinned, '-e', 'for(;;);'];
    const others = Array.from({ length: 16 }, () =>
      spawn(program, args, { detached: true, stdio: 'ignore' }),
    );
    try {
      const begun = performance.now();
      const { json, stderr } = await moduleCommand(broker, 'load', dir);
      assert.equal(json?.state, 'loaded', stderr);
      const tookMs = performance.now() - begun;
      assert.ok(tookMs > START_MS, `it had a processor: it was loaded after ${tookMs} ms`);
    } finally {
      for (const other of others) other.kill('SIGKILL');
    }
  });

  it('I6 a module whose past takes longer to fold than a start may stand still is loaded, and not parked', async () => {
    await using home = tempDir();
    const name = 'ledger';
    // 4,500 events of 1 ms, where a start may stand still for 3 s. A process reads 5,000 records in one go, of three a call.
    const write = (slow: boolean): string =>
      writeSourceModule(
        join(home.path, name),
        sourceManifest(name, { limits: { crashes: 1, startMs: 3_000 } }),
        {
          'package.json': '{"type":"module"}',
          'index.js': workingCode(
            name,
            slow
              ? '(n) => { const until = performance.now() + 1; while (performance.now() < until); return n; }'
              : '(n) => n',
            '',
          ),
        },
      );
    await using broker = await startBroker({
      args: ['--no-shipped', '--durability', 'os', '--module', write(false)],
    });
    const nc = await connect({ servers: broker.url });
    const add = () => nc.request(`call.${name}.add.a`, '{"n":1}', { timeout: 120_000 });
    await Promise.all(Array.from({ length: 4_500 }, add));
    write(true);
    assert.equal((await moduleCommand(broker, 'unload', name)).json?.state, 'unloaded');
    const { json, stderr } = await moduleCommand(broker, 'load', join(home.path, name));
    assert.equal(json?.state, 'loaded', stderr);
    assert.equal((await add()).json<{ status: string }>().status, 'ok');
    await nc.close();
  });
});
