import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { type BrokerStatus, OPS } from '../../../schemas/operate.js';
import { startBroker, tallystick, type TestBroker } from '../../support/broker.js';
import { byForm } from '../../support/form.js';
import {
  assertFolded,
  assertHandled,
  countEventsBy,
  eventsOf,
  readHeard,
  writeListener,
  writeReadModel,
  writeShop,
} from '../../support/hearing.js';
import { connectOperator, soundLog } from '../../support/log-checks.js';
import { moduleStatuses } from '../../support/modules.js';
import { Seeded } from '../../support/seeded.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';

const EVENTS = byForm({ short: 1_500, deep: 100_000 });
const KILLS = byForm({ short: 2, deep: 20 });
const PER_COMMAND = 50;
const AGENTS = 40;
const SEED = Number(process.env.TEST_SEED ?? Date.now() % 1_000_000);

const VICTIMS = ['listener', 'broker', 'server', 'index'] as const;

it(`${EVENTS} events are heard once each, and folded once each by a read model, while listener, broker and server are killed ${KILLS} times`, async (t) => {
  t.diagnostic(`TEST_SEED=${SEED}`);
  const random = new Seeded(SEED);
  await using dir = tempDir();
  const dataDir = join(dir.path, 'data');
  const shop = writeShop(dir.path);
  const RUN = `{ run: ({ data: { seq } }) => async () => ({
    _tag: 'Right', right: { data: { seq }, events: [{ name: 'noted', data: { seq } }] },
  }) }`;
  const pure = writeListener(dir.path, 'pure', { 'shop.sold': { action: 'note', from: 'start' } });
  const effect = writeListener(
    dir.path,
    'effect',
    { 'shop.>': { action: 'note', from: 'start', agent: '/to' } },
    { note: RUN },
  );
  const view = writeReadModel(dir.path, 'view', { 'shop.sold': { agent: '/to' } });
  const args = [
    '--no-shipped',
    '--durability',
    'os',
    ...[shop, pure, effect, view].flatMap((path) => ['--module', path]),
  ];
  const start = (): Promise<TestBroker> => startBroker({ dataDir, args });
  let broker = await start();
  const first = random.int(0, VICTIMS.length - 1);
  const kill = async (victim: (typeof VICTIMS)[number]): Promise<void> => {
    if (victim === 'broker' || victim === 'index') {
      await broker.kill();
      await broker[Symbol.asyncDispose]();
      if (victim === 'index') rmSync(join(dataDir, 'index'), { recursive: true });
      broker = await start();
      return;
    }
    const pid =
      victim === 'server'
        ? await serverPid(dataDir)
        : (await moduleStatuses(broker)).get(random.pick(['pure', 'effect', 'view']))?.pid;
    if (pid !== undefined && pid !== null) process.kill(pid, 'SIGKILL');
  };
  try {
    let sent = 0;
    const send = (upTo: number): Promise<unknown> =>
      waitFor('the commands of a round to be stored', async () => {
        const nc = await connectOperator(dataDir);
        try {
          for (; sent < upTo; sent++) {
            const data = { times: PER_COMMAND, data: { to: `b${random.int(1, AGENTS)}` } };
            const subject = `cmd.shop.sell.a${random.int(1, AGENTS)}`;
            await nc.request(subject, JSON.stringify(data), { timeout: 5_000 });
          }
          return true;
        } finally {
          await nc.close();
        }
      });
    const perRound = EVENTS / PER_COMMAND / (KILLS + 1);
    for (let round = 0; round < KILLS; round++) {
      await send(Math.ceil(perRound * (round + 0.5)));
      await kill(VICTIMS[(round + first) % VICTIMS.length] as 'broker');
    }
    await send(EVENTS / PER_COMMAND);
    await waitFor(
      'all events to be handled',
      async () => {
        // Reading the whole log again and again would take the time of the work itself.
        for (const [name, { lag, eventsWaiting }] of await moduleStatuses(broker))
          assert.equal(lag + (eventsWaiting ?? (name === 'shop' ? 0 : 1)), 0, `${name} has not handled all`);
        const log = await readHeard(dataDir);
        const events = eventsOf(log, /^evt\.shop\.sold\./);
        assert.ok(events.length >= EVENTS, `${events.length} events`);
        for (const listener of ['pure', 'effect']) assertHandled(log, listener, events);
        await assertFolded(
          dataDir,
          'view',
          await countEventsBy(dataDir, /^evt\.shop\.sold\./, ({ to }) => `${to}`),
        );
        return true;
      },
      byForm({ short: 60_000, deep: 600_000 }),
    );
    await soundLog(dataDir);
    const { code, stdout } = await tallystick(['replay', 'verify', '--json'], {
      dataDir,
      timeoutMs: 120_000,
    });
    assert.equal(code, 0, stdout);
  } finally {
    await broker[Symbol.asyncDispose]();
  }
});

const serverPid = async (dataDir: string): Promise<number | undefined> => {
  const nc = await connectOperator(dataDir);
  try {
    const status = (await nc.request(OPS.status, '{}', { timeout: 5_000 })).json<BrokerStatus>();
    return status.server.pid ?? undefined;
  } finally {
    await nc.close();
  }
};
