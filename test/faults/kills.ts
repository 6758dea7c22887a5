import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { connect } from 'nats';
import accountsModule from '../../modules/accounts/index.js';
import ordersModule from '../../modules/orders/index.js';
import { type Client, createClient } from '../../modules/client/index.js';
import { freePort } from '../../system/processes/free-port.js';
import type { Refusal } from '../../schemas/result.js';
import { startBroker, type TestBroker } from '../support/broker.js';
import { byForm } from '../support/form.js';
import { natsSpawn } from '../support/nats-cli.js';
import { processesMentioning } from '../support/processes.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';
import { checkMoney, checkSettledLog, processesOf, SETTLE_MS, settled } from './system-state.js';
import { brokerStatus } from '../support/broker-status.js';

const { manifest: accounts } = accountsModule;
const { manifest: orders } = ordersModule;

const AGENTS = 200;

const agent = (i: number): string => `agent-${i % AGENTS}`;

/** What one caller does: mostly transfers, which are three commands each, and orders, which call three modules. */
const callOf = (client: Client, i: number): TaskEither<Refusal, unknown> => {
  const options = { timeoutMs: SETTLE_MS };
  if (i % 20 === 0) {
    const order = { item: `item-${i % 10}`, quantity: 1, unitPrice: 3, customer: agent(i) };
    return client.call(orders, 'place', `order-${i}`, order, options);
  }
  return i % 2 === 0
    ? client.call(accounts, 'transfer', agent(i), { to: agent(i + 1), amount: 1 + (i % 7) }, options)
    : client.call(accounts, 'deposit', agent(i), { amount: 2 }, options);
};

const pidOf = (text: string, dataDir: string): number => {
  const found = processesMentioning(dataDir).find(({ command }) => command.includes(text));
  assert.ok(found, `a process ${text}`);
  return found.pid;
};

/** In the short form one of them, drawn by lot. */
const modulesToKill = (): readonly string[] => {
  const all = ['accounts', 'agents', 'orders'];
  return byForm({ short: [all[Math.floor(Math.random() * all.length)] ?? ''], deep: all });
};

interface Load extends AsyncDisposable {
  readonly answered: () => number;
}

let salt = 0;

/** Puts calls in flight all at once, with the `nats` command line beside them; does not wait for their results. */
const load = async (url: string, calls: number): Promise<Load> => {
  const nc = await connect({ servers: url, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
  const client = createClient(nc);
  let answered = 0;
  const first = salt;
  salt += calls;
  for (let i = first; i < first + calls; i++) {
    // A caller whose broker or server is killed is not answered; what it sent is judged by the log.
    void callOf(client, i)().then((result) => {
      if (E.isRight(result)) answered += 1;
    });
  }
  const requests = natsSpawn(['req', 'call.accounts.deposit.agent-3', '{"amount":1}', '--count', '300'], {
    url,
  });
  const commands = natsSpawn(
    ['pub', '-J', 'cmd.accounts.deposit.agent-4', '{"amount":{{Count}}}', '--count', '300'],
    { url },
  );
  return {
    answered: () => answered,
    [Symbol.asyncDispose]: async () => {
      await Promise.all([requests.stop(), commands.stop()]);
      await nc.close();
    },
  };
};

const prepare = async (url: string): Promise<void> => {
  const nc = await connect({ servers: url });
  const ask = (subject: string, data: object): Promise<unknown> =>
    nc.request(subject, JSON.stringify(data), { timeout: 60_000 });
  await Promise.all([
    ...Array.from({ length: AGENTS }, (_, i) => ask(`call.accounts.deposit.${agent(i)}`, { amount: 1_000 })),
    ...Array.from({ length: AGENTS }, (_, i) => ask(`call.agents.spawn.${agent(i)}`, {})),
    ...Array.from({ length: 10 }, (_, i) => ask(`call.orders.restock.item-${i}`, { quantity: 100_000 })),
  ]);
  await nc.close();
};

/** What must hold once all is quiet. */
const verify = async (url: string, dataDir: string): Promise<number> => {
  const records = await checkSettledLog(dataDir);
  const nc = await connect({ servers: url });
  const agents = Array.from({ length: AGENTS }, (_, i) => agent(i));
  await checkMoney(nc, agents, dataDir);
  await nc.close();
  return records;
};

/**
 * Kills modules, the server and the broker with -9, each with so many calls in flight, and checks what must hold
 * once all is quiet. A test of minutes: one file a durability level.
 */
export const surviveKills =
  (durability: 'os' | 'fsync', calls: number) =>
  async (t: TestContext): Promise<void> => {
    await using dir = tempDir();
    const dataDir = dir.path;
    const port = await freePort('127.0.0.1')();
    assert.ok(E.isRight(port));
    const start = (): Promise<TestBroker> =>
      startBroker({ dataDir, args: ['--nats-port', String(port.right), '--durability', durability] });
    let broker = await start();
    const { url } = broker;
    await prepare(url);

    const underLoad = async (what: string, fault: () => Promise<void>): Promise<void> => {
      await using running = await load(url, calls);
      await waitFor(
        `calls to be answered before ${what} is killed`,
        () => running.answered() > calls / 50,
        60_000,
      );
      const killed = performance.now();
      await fault();
      await settled(dataDir);
      const seconds = ((performance.now() - killed) / 1_000).toFixed(1);
      t.diagnostic(
        `${what} killed with ${calls} calls in flight: all answered in the log after ${seconds} s, ${running.answered()} to their callers`,
      );
    };

    for (const module of modulesToKill()) {
      await underLoad(`module ${module}`, async () => {
        const { modules } = await brokerStatus(dataDir);
        const pid = modules.find(({ name }) => name === module)?.pid;
        assert.ok(pid);
        process.kill(pid, 'SIGKILL');
      });
    }
    await underLoad('the server', async () => {
      process.kill(pidOf('nats-server', dataDir), 'SIGKILL');
    });
    await verify(url, dataDir);
    await underLoad('the broker', async () => {
      await broker.kill('SIGKILL');
      await waitFor('everything that the broker started to be gone', () => processesOf(dataDir).length === 0);
      broker = await start();
    });
    await verify(url, dataDir);

    await broker.stop();
    assert.deepEqual(processesOf(dataDir), []);
    // I6: without any snapshot the same states are folded from the log.
    rmSync(join(dataDir, 'snapshots'), { recursive: true });
    rmSync(join(dataDir, 'index'), { recursive: true });
    broker = await start();
    t.diagnostic(`${await verify(url, dataDir)} records verified clean`);
    await broker.stop();
    assert.deepEqual(processesOf(dataDir), []);
  };
