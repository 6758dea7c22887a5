import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { readFileSync } from 'node:fs';
import { brokerStatus } from '../../support/broker-status.js';
import { startBroker, tallystick } from '../../support/broker.js';
import { tempDir } from '../../support/temp-dir.js';

it('a broker that requires the cage does not start without it, and names the missing layers', async () => {
  await using dir = tempDir();
  const options = {
    dataDir: join(dir.path, 'data'),
    env: { PATH: join(dir.path, 'nothing') },
    timeoutMs: 60_000,
  };
  const { code, stderr } = await tallystick(['start', '--cage', 'required', '--nats-port', '0'], options);
  assert.equal(code, 1, stderr);
  assert.match(stderr, /CAGE_INCOMPLETE: --cage required: this machine lacks 5 layers of the cage/);
  for (const layer of ['files', 'ports', 'signals', 'calls', 'limits']) {
    assert.match(stderr, new RegExp(`^ *${layer}: there is no perl on PATH`, 'm'));
  }
});

it('a broker without a cage says so, layer by layer', async () => {
  await using broker = await startBroker({
    shipped: ['accounts'],
    args: ['--cage', 'off', '--durability', 'os'],
  });
  const { cage, modules } = await brokerStatus(broker.dataDir);
  assert.equal(cage.mode, 'off');
  assert.ok(cage.layers.every(({ holds, detail }) => !holds && detail.startsWith('the cage is off')));
  if (process.platform !== 'linux') return;
  assert.match(readFileSync(`/proc/${modules[0]?.pid}/status`, 'utf8'), /^NoNewPrivs:\t0$/m);
});

it('an unknown mode is refused by name', async () => {
  const { code, stderr } = await tallystick(['start', '--cage', 'locked']);
  assert.equal(code, 2);
  assert.match(stderr, /--cage.*auto, required, off/);
});
