import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { connect, type NatsConnection } from 'nats';
import type { Refusal } from '../../../schemas/result.js';
import { startBroker, tallystick, type TestBroker } from '../../support/broker.js';
import { inDeep } from '../../support/form.js';
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

const itInDeep = inDeep(it);

const SOLD = { 'shop.sold': { action: 'note' } };
const REFUNDED = { 'shop.refunded': { action: 'noteRefund', from: 'start' } };

describe('what a module listens to', () => {
  const dir = tempDir();
  let broker: TestBroker;
  let guest: NatsConnection;
  let operator: NatsConnection;

  const publish = async (action: 'sell' | 'refund', agent: string, times = 1): Promise<readonly number[]> => {
    const before = new Set((await readHeard(broker.dataDir)).events.keys());
    await guest.request(`call.shop.${action}.${agent}`, JSON.stringify({ times }), { timeout: 10_000 });
    return waitFor('the events to be stored', async () => {
      const events = eventsOf(await readHeard(broker.dataDir), /^evt\.shop\./).filter(
        (seq) => !before.has(seq),
      );
      return events.length >= times && events;
    });
  };
  const change = async (
    ...args: Parameters<typeof changeModule> extends [unknown, ...infer Rest] ? Rest : never
  ) => {
    const { code, message } = await changeModule(operator, ...args);
    assert.equal(code, 'ok', message);
  };
  const load = (dir: string): Promise<void> => change('load', { dir, grant: true });
  const reload = (name: string): Promise<void> => change('reload', { name, grant: true, untried: true });
  const refused = async (says: RegExp, what: 'load' | 'reload', body: object): Promise<void> => {
    const { code, message } = await changeModule(operator, what, { ...body });
    assert.equal(code, 'LISTEN_NOT_GRANTED');
    assert.match(message, says);
  };
  const heard = (listener: string, due: readonly number[], order = {}): Promise<HeardLog> =>
    waitFor(`${listener} to have heard all`, async () => {
      const log = await readHeard(broker.dataDir);
      assertHandled(log, listener, due, order);
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

  it('I7 is granted by an operator only, also when a reload asks for more', async () => {
    const more = writeListener(dir.path, 'asker', SOLD);
    await refused(/asks for more than it may: listen to shop\.sold/, 'load', { dir: more });
    await load(more);
    await change('reload', { name: 'asker' });
    writeListener(dir.path, 'asker', { ...SOLD, ...REFUNDED });
    const before = await moduleStatus(broker, 'asker', ({ state }) => state === 'loaded');
    await refused(/listen to shop\.refunded/, 'reload', { name: 'asker' });
    assert.equal((await moduleStatus(broker, 'asker', () => true)).pid, before.pid);
    writeListener(dir.path, 'asker', { 'shop.>': { action: 'note' } });
    await refused(/listen to shop\.>/, 'reload', { name: 'asker' });
    writeListener(dir.path, 'asker', { 'other.sold': { action: 'note' } });
    await refused(/listen to other\.sold/, 'reload', { name: 'asker' });
  });

  it('I7 no client and no module can send what only the broker brings', async () => {
    await load(writeListener(dir.path, 'closed', SOLD));
    const forged = JSON.stringify({ event: 'shop.sold', agent: 'x', seq: 1, time: '', data: {} });
    const asked = await guest.request('call.closed.note.ann', forged, { timeout: 5_000 });
    assert.equal(asked.json<Refusal>().error.code, 'CALLER_FORBIDDEN');
    const sent = await guest.request('cmd.closed.note.ann', forged, { timeout: 5_000 });
    const { seq } = sent.json<{ seq: number }>();
    await waitFor('the refusal of the command', async () => {
      const { stdout } = await tallystick(['replay', 'trace', String(seq)], { dataDir: broker.dataDir });
      return /CALLER_FORBIDDEN/.test(stdout);
    });
    await heard('closed', []);
  });

  it('I10 changes by a reload: an entry begins, ends and begins again, and no event is heard twice', async () => {
    const early = await publish('refund', 'ann', 3);
    await load(writeListener(dir.path, 'changing', SOLD));
    const first = await publish('sell', 'ann', 4);
    writeListener(dir.path, 'changing', { ...SOLD, ...REFUNDED });
    await reload('changing');
    const second = [...(await publish('refund', 'ann', 2)), ...(await publish('sell', 'bob', 2))];
    const asked = eventsOf(await readHeard(broker.dataDir), /^evt\.shop\.refunded\./);
    assert.ok(early.every((seq) => asked.includes(seq)));
    const due = [...asked, ...first, ...second.filter((seq) => !asked.includes(seq))];
    await heard('changing', due, { byName: true });
    writeListener(dir.path, 'changing', REFUNDED);
    await reload('changing');
    const unheard = await publish('sell', 'ann', 3);
    writeListener(dir.path, 'changing', { 'shop.>': { action: 'note', from: 'start' } });
    await reload('changing');
    const all = eventsOf(await readHeard(broker.dataDir), /^evt\.shop\./);
    assert.ok(unheard.every((seq) => all.includes(seq)));
    const late = await publish('sell', 'ann', 2);
    await waitFor('all events to be handled once, whatever their order', async () => {
      const { handled } = await readHeard(broker.dataDir);
      const events = (handled.get('changing') ?? []).map(({ event }) => event);
      assert.deepEqual(
        events.toSorted((a, b) => a - b),
        [...all, ...late],
      );
      return true;
    });
  });

  it('ends with the removal of the module, and begins again when it is loaded', async () => {
    const at = writeListener(dir.path, 'leaving', SOLD);
    await load(at);
    const before = await publish('sell', 'ann', 2);
    await heard('leaving', before);
    await change('remove', { name: 'leaving', unload: true });
    await publish('sell', 'ann', 2);
    await load(at);
    await heard('leaving', [...before, ...(await publish('sell', 'ann', 2))]);
  });

  itInDeep('a handler that throws makes a dead letter, and a redrive is no second delivery', async () => {
    const handlers = { note: "{ decide: () => { throw new Error('cannot'); } }" };
    await load(writeListener(dir.path, 'failing', SOLD, handlers));
    const due = await publish('sell', 'dora');
    const log = await heard('failing', due);
    const { command } = log.handled.get('failing')?.at(0) ?? assert.fail();
    writeListener(dir.path, 'failing', SOLD);
    await reload('failing');
    const args = ['dead', 'redrive', String(command), '--wait', '--json'];
    const { code, stdout } = await waitFor('the dead letter', async () => {
      const done = await tallystick(args, { dataDir: broker.dataDir });
      return done.code === 0 && done;
    });
    assert.equal(code, 0, stdout);
    await heard('failing', due);
  });

  itInDeep('replay trace shows an event with what it led to, and verify is clean', async () => {
    const { handled } = await readHeard(broker.dataDir);
    const { event, command } = handled.get('changing')?.at(-1) ?? assert.fail();
    const { stdout } = await tallystick(['replay', 'trace', String(command)], { dataDir: broker.dataDir });
    assert.match(stdout, new RegExp(`hears ${event} changing\\.note`));
    await soundLog(broker.dataDir);
    const verified = await tallystick(['replay', 'verify', '--json'], { dataDir: broker.dataDir });
    assert.equal(verified.code, 0, verified.stdout);
  });
});
