import assert from 'node:assert/strict';
import { cpSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import { connect } from 'nats';
import { startBroker, type TestBroker } from '../../support/broker.js';
import { brokerStatus } from '../../support/broker-status.js';
import { byForm, inDeep } from '../../support/form.js';
import { soundLog } from '../../support/log-checks.js';
import { processesMentioning } from '../../support/processes.js';
import { startServer, type TestServer } from '../../support/server.js';
import { type TempDir, tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';
import { balance, deposit, keptIn, refusedStart, restore } from './two-logs.js';

const itInDeep = inDeep(it);

const OS = ['--durability', 'os'];
/** Calls between two kills. */
const SOME = byForm({ short: 100, deep: 500 });

// Which of the two depends on how much the broker's own producers have written before the log is looked at.
const LOSS_THEN_ADVICE = /LOG_(SHORTENED|DIFFERS).*--on-log-loss rebuild/;

/** A server elsewhere that has the accounts of the broker to come, which is refused once to write them. */
const serverFor = async (dir: TempDir): Promise<TestServer> => {
  await using plain = await startServer();
  await refusedStart(join(dir.path, 'data'), ['--nats', plain.url]);
  return startServer({ config: `include "../${basename(dir.path)}/data/accounts.conf"` });
};

/** Has alice get 3, then 3 more, then kills the server and starts it on its files from when she had 3. */
const takeBack = async (dir: TempDir, server: TestServer): Promise<void> => {
  const copy = join(dir.path, 'copy');
  await deposit(server.url, 'alice', [1, 2]);
  await server.kill();
  cpSync(server.storeDir, copy, { recursive: true });
  await server.restart();
  await deposit(server.url, 'alice', [1, 1, 1]);
  await server.kill();
  restore(server.storeDir, copy);
  await server.restart();
};

describe('I9 a server that loses records while the broker runs', () => {
  it('I9 the broker begins anew with what is there, and says so', async () => {
    await using dir = tempDir();
    const dataDir = join(dir.path, 'data');
    await using server = await serverFor(dir);
    await using broker = await startBroker({ dataDir, natsUrl: server.url, shipped: ['accounts'], args: OS });
    await takeBack(dir, server);
    const [kept = ''] = await waitFor(
      'what was made from the log that was to be kept',
      () => {
        const all = keptIn(dataDir);
        return all.length > 0 && all;
      },
      30_000,
    );
    await waitFor(
      'the broker to serve again',
      async () => (await brokerStatus(dataDir)).losses.length > 0,
      30_000,
    );
    assert.equal(await waitFor('alice', () => balance(server.url, 'alice'), 30_000), 3);
    await deposit(server.url, 'alice', [10]);
    await soundLog(dataDir);
    const [loss] = (await brokerStatus(dataDir)).losses;
    assert.equal(loss?.dir, kept);
    assert.match(loss?.message ?? '', /was seen up to \d+/);
    assert.ok(
      broker.stderr.some((line) => /LOG_(SHORTENED|DIFFERS): .*; the broker starts again/.test(line)),
    );
    assert.equal(broker.stdout.length, 1);
    await broker.stop();
  });

  it('I9 the broker stops where it is told to, with the reason, and does not start again', async () => {
    await using dir = tempDir();
    const dataDir = join(dir.path, 'data');
    const args = [...OS, '--on-log-loss', 'stop'];
    await using server = await serverFor(dir);
    await using broker = await startBroker({ dataDir, natsUrl: server.url, shipped: ['accounts'], args });
    await takeBack(dir, server);
    assert.deepEqual(await broker.exited, { code: 1, signal: null });
    assert.match(broker.stderr.at(-1) ?? '', LOSS_THEN_ADVICE);
    assert.deepEqual(keptIn(dataDir), []);
    const { code, error } = await refusedStart(dataDir, [...args, '--nats', server.url]);
    assert.equal(code, 1);
    assert.match(error.code, /^LOG_(SHORTENED|DIFFERS)$/);
  });
});

describe('I9 what is no loss', () => {
  itInDeep('I9 no kill of broker, server or module is taken for one', async (t) => {
    await using dir = tempDir();
    const dataDir = dir.path;
    const start = (): Promise<TestBroker> =>
      startBroker({ dataDir, shipped: ['accounts'], args: [...OS, '--on-log-loss', 'stop'] });
    const noAlarm = ({ stderr }: TestBroker): void =>
      assert.deepEqual(
        stderr.filter((line) => /LOG_(SHORTENED|DIFFERS|REPLACED|MISMATCH)/.test(line)),
        [],
      );
    let handled = 0;
    for (let round = 0; round < byForm({ short: 3, deep: 6 }); round++) {
      await using broker = await start();
      const nc = await connect({ servers: broker.url, maxReconnectAttempts: -1, reconnectTimeWait: 20 });
      let calling = true;
      const callers = Array.from({ length: 20 }, async (_, i) => {
        while (calling) {
          const reply = nc.request(`call.accounts.deposit.a${i}`, '{"amount":1}', { timeout: 2_000 });
          if (
            await reply.then(
              () => true,
              () => false,
            )
          )
            handled += 1;
        }
      });
      const before = handled;
      await waitFor('calls to be answered', () => handled > before + SOME, 30_000);
      if (round % 3 === 0) {
        const module = broker.ready.modules.find(({ name }) => name === 'accounts');
        process.kill(module?.pid ?? 0, 'SIGKILL');
        const killed = handled;
        await waitFor('calls to be answered again', () => handled > killed + SOME, 30_000);
      } else if (round % 3 === 1) {
        const server = processesMentioning(dataDir).find(({ command }) => command.includes('nats-server'));
        process.kill(server?.pid ?? 0, 'SIGKILL');
        const killed = handled;
        await waitFor('calls to be answered again', () => handled > killed + SOME, 30_000);
      }
      noAlarm(broker);
      // Round by round: broker killed, broker stopped while calls come in, broker killed.
      if (round % 3 === 2) await broker.stop();
      else await broker.kill('SIGKILL');
      calling = false;
      await nc.close();
      await Promise.all(callers);
      noAlarm(broker);
    }
    await using broker = await start();
    noAlarm(broker);
    assert.deepEqual(keptIn(dataDir), []);
    t.diagnostic(`${handled} calls answered`);
  });
});
