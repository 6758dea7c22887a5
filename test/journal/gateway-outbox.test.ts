import assert from 'node:assert/strict';
import { cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { connect, type NatsConnection } from 'nats';
import { SILENCE_VARIABLE } from '../../link/keepalive.js';
import { readLog } from '../../journal/read/reader.js';
import { LmdbOutbox } from '../../store/outbox/lmdb-outbox.js';
import { jsonOrText } from '../../schemas/json.js';
import { startBadLine } from '../support/bad-line.js';
import { startBroker, type TestBroker } from '../support/broker.js';
import { success } from '../support/either.js';
import { byForm, inDeep } from '../support/form.js';
import { checkLog, connectOperator, soundLog } from '../support/log-checks.js';
import { PROJECT_ROOT } from '../support/project-root.js';
import { startServerElsewhere, writeAccounts } from '../support/server-elsewhere.js';
import { stopped } from '../support/stopped.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';

const testInDeep = inDeep(test);

/** Calls before the log is held back, and calls while it is. */
const ANSWERED = byForm({ short: 50, deep: 200 });
const WAITING = byForm({ short: 250, deep: 2_000 });
/** A connection has 64 calls on their way at a time; the next ones wait where no outbox has them. */
const CONNECTIONS = byForm({ short: 10, deep: 40 });

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

/** Calls that the outbox of a broker has on disk now. The broker has it open, so it stands still while it is copied. */
const keptOf = async ({ pid, dataDir }: TestBroker, home: string): Promise<readonly number[]> => {
  const copy = join(home, 'copy');
  rmSync(copy, { recursive: true, force: true });
  {
    using _ = await stopped(pid);
    cpSync(join(dataDir, 'outbox'), copy, { recursive: true });
  }
  const outbox = success(
    await LmdbOutbox.open({ dir: copy, onFault: ({ message }) => assert.fail(message) })(),
  );
  const kept = outbox.left.kept.map(({ draft }) => amountOf(draft.data));
  await outbox.close();
  return kept;
};

describe('the outbox of the gateway', () => {
  test('I1 I3 calls that a killed broker had kept are recorded by the next one, each once, and answered', async () => {
    await using home = tempDir();
    const dataDir = join(home.path, 'data');
    await writeAccounts(dataDir, ['--no-shipped', '--module', join(PROJECT_ROOT, 'dist/modules/accounts')]);
    await using server = await startServerElsewhere(dataDir);
    await using line = await startBadLine(server.port);
    const broker = { dataDir, natsUrl: line.url, shipped: ['accounts'], args: ['--durability', 'os'] };
    // The test holds the log back: on a fast machine nothing would wait.
    await using first = await startBroker({ ...broker, env: { [SILENCE_VARIABLE]: '120000' } });
    const connections = await Promise.all(
      Array.from({ length: CONNECTIONS }, () => connect({ servers: server.url, reconnect: false })),
    );
    const call = (amount: number): Promise<unknown> =>
      (connections[amount % CONNECTIONS] as NatsConnection).request(
        `call.accounts.deposit.a${amount % 100}`,
        JSON.stringify({ amount }),
        { timeout: 60_000 },
      );
    const told = Array.from({ length: ANSWERED }, (_, i) => i + 1);
    await Promise.all(told.map(call));
    line.swallow('to-server');
    const waiting = Array.from({ length: WAITING }, (_, i) => ANSWERED + i + 1);
    const unanswered = Promise.allSettled(waiting.map(call));
    let kept: readonly number[] = [];
    await waitFor(
      'every call that waits to be kept',
      async () => {
        kept = await keptOf(first, home.path);
        return waiting.every((amount) => kept.includes(amount));
      },
      60_000,
    );
    await first.kill('SIGKILL');
    for (const nc of connections) await nc.close();
    assert.ok((await unanswered).every(({ status }) => status === 'rejected'));
    line.mend();

    await using second = await startBroker(broker);
    assert.match(
      second.stderr.join('\n'),
      new RegExp(`\\[outbox\\] of ${kept.length} calls of the broker before`),
    );
    assert.deepEqual(
      [...(await deposits(dataDir))].toSorted((a, b) => a - b),
      [...told, ...waiting],
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
    await using third = await startBroker(broker);
    assert.doesNotMatch(third.stderr.join('\n'), /\[outbox\]/);
    assert.equal((await deposits(dataDir)).length, ANSWERED + WAITING);
  });

  testInDeep('a damaged outbox is said and set aside, and calls are answered', async () => {
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
