import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from 'nats';
import type { Result } from '../../schemas/result.js';
import { manifest } from '../fixtures/modules/leaky/manifest.js';
import { startBroker } from '../support/broker.js';
import { byForm } from '../support/form.js';
import { writeModule, writeShippedModule } from '../support/module-dir.js';
import { tempDir } from '../support/temp-dir.js';
import { checkSettledLog } from './system-state.js';
import { brokerStatus } from '../support/broker-status.js';

/** Each leaves 4 MiB behind, in a heap of 64. */
const COMMANDS = byForm({ short: 24, deep: 60, full: 200 });
const AGENTS = 10;

test('I3 I5 a module that leaks ends at its heap limit and is started again; each command is handled once, others go on', async (t) => {
  await using dir = tempDir();
  const dataDir = join(dir.path, 'data');
  const leaky = await writeModule(join(dir.path, 'leaky'), 'leaky', manifest);
  const accounts = await writeShippedModule(join(dir.path, 'accounts'), 'accounts', {});
  const args = ['--no-shipped', '--durability', 'os', '--module', leaky, '--module', accounts];
  await using broker = await startBroker({ dataDir, args });
  const nc = await connect({ servers: broker.url });
  const call = async (address: string, data: object): Promise<Result> =>
    (await nc.request(`call.${address}`, JSON.stringify(data), { timeout: 200_000 })).json<Result>();

  let handled = false;
  const beside = (async () => {
    let calls = 0;
    for (; !handled; calls++)
      assert.equal((await call('accounts.deposit.alice', { amount: 1 })).status, 'ok');
    return calls;
  })();
  const results = await Promise.all(
    Array.from({ length: COMMANDS }, (_, i) => call(`leaky.count.agent-${i % AGENTS}`, {})),
  );
  handled = true;
  const deposits = await beside;

  // Whoever was in hand when the heap was full is told so, where one was: it may fill up between two commands.
  const codes = results.map((result) => (result.status === 'ok' ? 'ok' : result.error.code));
  const crashed = codes.filter((code) => code === 'HANDLER_CRASHED').length;
  assert.deepEqual(
    codes.filter((code) => code !== 'HANDLER_CRASHED' && code !== 'ok'),
    [],
  );
  const { modules } = await brokerStatus(dataDir);
  const of = (name: string) => modules.find((each) => each.name === name) ?? assert.fail(name);
  assert.ok(of('leaky').restarts >= crashed && of('leaky').restarts > 0);
  assert.equal(of('leaky').state, 'loaded');
  assert.deepEqual([of('accounts').restarts, of('accounts').state], [0, 'loaded']);

  // Each counts from the one before: none was lost, none was counted twice.
  for (let agent = 0; agent < AGENTS; agent++) {
    const counts = results
      .filter((_, i) => i % AGENTS === agent)
      .flatMap((result) => (result.status === 'ok' ? [(result.data as { count: number }).count] : []));
    assert.deepEqual(
      counts.sort((a, b) => a - b),
      Array.from({ length: counts.length }, (_, i) => i + 1),
    );
  }
  await checkSettledLog(dataDir);
  const { data } = (await call('accounts.balance.alice', {})) as { data: { balance: number } };
  assert.equal(data.balance, deposits);
  t.diagnostic(
    `${COMMANDS} commands, ${of('leaky').restarts} ends, ${crashed} told so; ${deposits} calls beside`,
  );
  await nc.close();
  await broker.stop();
});
