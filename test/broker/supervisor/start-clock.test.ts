import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { connect } from 'nats';
import { StartClock } from '../../../broker/supervisor/start-clock.js';
import { startBroker } from '../../support/broker.js';
import { moduleCommand } from '../../support/modules.js';
import { sourceManifest, workingCode, writeSourceModule } from '../../support/source-module.js';
import { tempDir } from '../../support/temp-dir.js';

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
    await using broker = await startBroker({ args: ['--no-shipped', '--module', write(false)] });
    const nc = await connect({ servers: broker.url });
    const add = () => nc.request(`call.${name}.add.a`, '{"n":1}', { timeout: 30_000 });
    await Promise.all(Array.from({ length: 4_500 }, add));
    write(true);
    assert.equal((await moduleCommand(broker, 'unload', name)).json?.state, 'unloaded');
    assert.equal((await moduleCommand(broker, 'load', join(home.path, name))).json?.state, 'loaded');
    assert.equal((await add()).json<{ status: string }>().status, 'ok');
    await nc.close();
  });
});
