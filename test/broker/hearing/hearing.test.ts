import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { connect, type NatsConnection } from 'nats';
import { startBroker, tallystick, type TestBroker } from '../../support/broker.js';
import {
  assertHandled,
  changeModule,
  eventsOf,
  type HeardLog,
  readHeard,
  writeListener,
  writeShop,
} from '../../support/hearing.js';
import { connectOperator, soundLog } from '../../support/log-checks.js';
import { moduleStatus } from '../../support/modules.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';

const SHOP = /^evt\.shop\./;

describe('a module that listens to events', () => {
  const dir = tempDir();
  let broker: TestBroker;
  let guest: NatsConnection;
  let operator: NatsConnection;

  const publish = async (action: 'sell' | 'refund', agent: string, body: object = {}): Promise<void> => {
    const reply = await guest.request(`call.shop.${action}.${agent}`, JSON.stringify(body), {
      timeout: 10_000,
    });
    assert.equal(reply.json<{ status: string }>().status, 'ok');
  };
  const load = async (what: 'load' | 'unload', body: Readonly<Record<string, unknown>>): Promise<void> => {
    const { code, message } = await changeModule(operator, what, body);
    assert.equal(code, 'ok', message);
  };
  const loadListener = (name: string, on: Readonly<Record<string, object>>): Promise<void> =>
    load('load', { dir: writeListener(dir.path, name, on), grant: true });
  const settled = (listener: string, due: (log: HeardLog) => readonly number[]): Promise<HeardLog> =>
    waitFor(`${listener} to have heard all`, async () => {
      const log = await readHeard(broker.dataDir);
      assertHandled(log, listener, due(log));
      return log;
    });

  before(async () => {
    const args = ['--no-shipped', '--durability', 'os', '--module', writeShop(dir.path)];
    broker = await startBroker({ args });
    guest = await connect({ servers: broker.url });
    operator = await connectOperator(broker.dataDir);
  });
  after(async () => {
    await guest.close();
    await operator.close();
    await broker[Symbol.asyncDispose]();
    await dir[Symbol.asyncDispose]();
  });

  it('hears each event from its begin on once, in the order of its agent', async () => {
    for (const agent of ['ann', 'bob']) await publish('sell', agent, { times: 40 });
    // A call is answered when its result is stored; the events follow it.
    const earlier = await waitFor('all events of the calls to be stored', async () => {
      const stored = eventsOf(await readHeard(broker.dataDir), SHOP);
      return stored.length === 80 && stored;
    });
    const at = earlier[33] as number;
    await loadListener('now', { 'shop.sold': { action: 'note' } });
    await loadListener('all', { 'shop.>': { action: 'note', from: 'start' } });
    await loadListener('some', { 'shop.sold': { action: 'note', from: at } });
    for (const agent of ['ann', 'cyd']) await publish('refund', agent, { times: 3 });
    for (const agent of ['ann', 'cyd']) await publish('sell', agent, { times: 20 });
    await settled('all', (log) => eventsOf(log, SHOP));
    await settled('now', (log) =>
      eventsOf(log, /^evt\.shop\.sold\./).filter((seq) => !earlier.includes(seq)),
    );
    const log = await settled('some', (all) =>
      eventsOf(all, /^evt\.shop\.sold\./).filter((seq) => seq >= at),
    );
    for (const { event, subject, result } of log.handled.get('all') ?? []) {
      const [, module, name, agent] = (log.events.get(event) ?? '').split('.');
      assert.equal(subject, `cmd.all.note.${agent}.__events`);
      assert.deepEqual(result?.status === 'ok' && result.data, { seq: event, event: `${module}.${name}` });
    }
    await soundLog(broker.dataDir);
  });

  it('continues where it was after it was unloaded', async () => {
    await load('unload', { name: 'now' });
    const before = (await readHeard(broker.dataDir)).handled.get('now')?.length ?? 0;
    await publish('sell', 'ann', { times: 5 });
    await load('load', { dir: `${dir.path}/now` });
    const first = Math.min(
      ...((await readHeard(broker.dataDir)).handled.get('now') ?? []).map(({ event }) => event),
    );
    await settled('now', (log) => eventsOf(log, /^evt\.shop\.sold\./).filter((seq) => seq >= first));
    assert.equal((await readHeard(broker.dataDir)).handled.get('now')?.length, before + 5);
  });

  it('has no event waiting in its status when all are brought', async () => {
    await moduleStatus(broker, 'all', ({ lag, eventsWaiting }) => lag === 0 && eventsWaiting === 0);
    const { eventsWaiting } = await moduleStatus(broker, 'shop', ({ state }) => state === 'loaded');
    assert.equal(eventsWaiting, undefined);
  });

  it('verify finds nothing wrong', async () => {
    const { code, stdout } = await tallystick(['replay', 'verify', '--json'], { dataDir: broker.dataDir });
    assert.equal(code, 0, stdout);
  });
});
