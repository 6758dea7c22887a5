import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { connect } from 'nats';
import { readLog } from '../../broker/journal/reader.js';
import { LmdbOutbox } from '../../broker/outbox/lmdb-outbox.js';
import { jsonOrText } from '../../schemas/json.js';
import { startBroker } from '../support/broker.js';
import { success } from '../support/either.js';
import { checkLog, connectOperator, soundLog } from '../support/log-checks.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';

const CALLS = 20_000;

const amountOf = (data: Uint8Array): number => (jsonOrText(data) as { amount: number }).amount;

/** Amounts of the deposits in the log, in its order. */
const deposits = async (dataDir: string): Promise<readonly number[]> => {
  const nc = await connectOperator(dataDir);
  try {
    const amounts: number[] = [];
    const filters = ['cmd.accounts.deposit.*.*'];
    for await (const { data } of readLog(nc, { filters })) amounts.push(amountOf(data));
    return amounts;
  } finally {
    await nc.close();
  }
};

describe('the outbox of the gateway', () => {
  test('I1 I3 calls that a killed broker had kept are recorded by the next one, each once, and answered', async () => {
    await using home = tempDir();
    const dataDir = join(home.path, 'data');
    const first = await startBroker({ dataDir, shipped: ['accounts'] });
    const nc = await connect({ servers: first.url, reconnect: false });
    let answered = 0;
    const sent = Array.from({ length: CALLS }, async (_, i) => {
      const payload = JSON.stringify({ amount: i + 1 });
      await nc.request(`call.accounts.deposit.a${i % 100}`, payload, { timeout: 60_000 });
      answered += 1;
      return i + 1;
    });
    const outcomes = Promise.allSettled(sent);
    await waitFor('some to be answered', () => answered > 100, 30_000);
    await first.kill('SIGKILL');
    const told = (await outcomes).flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
    await nc.close();

    const copy = join(home.path, 'copy');
    cpSync(join(dataDir, 'outbox'), copy, { recursive: true });
    const outbox = success(
      await LmdbOutbox.open({ dir: copy, onFault: ({ message }) => assert.fail(message) })(),
    );
    const kept = outbox.left.kept.map(({ draft }) => amountOf(draft.data));
    await outbox.close();
    assert.ok(kept.length > 0, 'the broker was killed while calls waited');

    await using second = await startBroker({ dataDir, shipped: ['accounts'] });
    assert.match(
      second.stderr.join('\n'),
      new RegExp(`\\[outbox\\] of ${kept.length} calls of the broker before`),
    );
    const amounts = await deposits(dataDir);
    assert.equal(new Set(amounts).size, amounts.length);
    const inLog = new Set(amounts);
    assert.deepEqual(
      [...told, ...kept].filter((amount) => !inLog.has(amount)),
      [],
    );
    await waitFor(
      'every command to be answered',
      async () => (await checkLog(dataDir)).unanswered.length === 0,
      60_000,
    );
    // The copies of the last answers come behind them.
    await soundLog(dataDir);
    await second.stop();
    // Nothing is left for a third one.
    await using third = await startBroker({ dataDir, shipped: ['accounts'] });
    assert.doesNotMatch(third.stderr.join('\n'), /\[outbox\]/);
    assert.equal((await deposits(dataDir)).length, amounts.length);
  });

  test('a damaged outbox is said and set aside, and calls are answered', async () => {
    await using home = tempDir();
    const dataDir = join(home.path, 'data');
    const first = await startBroker({ dataDir, shipped: ['accounts'] });
    await first.stop();
    cpSync(process.execPath, join(dataDir, 'outbox', 'data.mdb'));
    await using second = await startBroker({ dataDir, shipped: ['accounts'] });
    assert.match(
      second.stderr.join('\n'),
      /\[outbox\] OUTBOX_UNAVAILABLE: the outbox was set aside: .*is damaged/,
    );
    const nc = await connect({ servers: second.url });
    const reply = await nc.request('call.accounts.deposit.alice', '{"amount":5}', { timeout: 10_000 });
    assert.deepEqual(reply.json(), { status: 'ok', data: { balance: 5 } });
    await nc.close();
  });
});
