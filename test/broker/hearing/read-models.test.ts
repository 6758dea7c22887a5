import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect, type NatsConnection } from 'nats';
import { foldConsumer, LOG } from '../../../schemas/log.js';
import { readLog } from '../../../journal/read/reader.js';
import { startBroker, tallystick, type TestBroker } from '../../support/broker.js';
import { inDeep } from '../../support/form.js';
import {
  assertFolded,
  changeModule,
  countEventsBy,
  writeReadModel,
  writeShop,
} from '../../support/hearing.js';
import { connectOperator, soundLog } from '../../support/log-checks.js';
import { moduleStatus } from '../../support/modules.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';
import { PATIENT } from '../../support/patient.js';

const itInDeep = inDeep(it);

const SOLD = /^evt\.shop\.sold\./;
const ofSubject = (_: object, subject: string): string => subject.split('.')[3] ?? '';

describe('a read model', () => {
  const dir = tempDir();
  let broker: TestBroker;
  let guest: NatsConnection;
  let operator: NatsConnection;

  const publish = async (action: 'sell' | 'refund', agent: string, body: object = {}): Promise<void> => {
    const subject = `call.shop.${action}.${agent}`;
    const reply = await guest.request(subject, JSON.stringify(body), { timeout: 10_000 });
    assert.equal(reply.json<{ status: string }>().status, 'ok');
  };
  const load = async (name: string, folds: Readonly<Record<string, object>>): Promise<void> => {
    const body = { dir: writeReadModel(dir.path, name, folds), grant: true };
    const { code, message } = await changeModule(operator, 'load', body);
    assert.equal(code, 'ok', message);
  };
  const folded = (
    name: string,
    fits: RegExp,
    agentOf: Parameters<typeof countEventsBy>[2] = ofSubject,
  ): Promise<unknown> =>
    waitFor(`${name} to have folded all`, async () => {
      await assertFolded(broker.dataDir, name, await countEventsBy(broker.dataDir, fits, agentOf));
      return true;
    });
  const verify = async (): Promise<{ readonly code: number | null; readonly stdout: string }> =>
    tallystick(['replay', 'verify', '--json'], { dataDir: broker.dataDir });

  before(async () => {
    const args = ['--no-shipped', '--durability', 'os', '--module', writeShop(dir.path)];
    broker = await startBroker({ args });
    guest = await connect({ servers: broker.url });
    operator = await connectOperator(broker.dataDir);
    for (const agent of ['ann', 'bob']) await publish('sell', agent, { times: 21, data: { to: 'cyd' } });
    await publish('refund', 'ann', { times: 3 });
  });
  after(async () => {
    await guest.close();
    await operator.close();
    await broker[Symbol.asyncDispose]();
    await dir[Symbol.asyncDispose]();
  });

  it('is refused without a grant, also by a reload that folds more', async () => {
    const at = writeReadModel(dir.path, 'sold', { 'shop.sold': {} });
    const refused = await changeModule(operator, 'load', { dir: at });
    assert.deepEqual(
      [refused.code, /listen to shop.sold/.test(refused.message)],
      ['LISTEN_NOT_GRANTED', true],
    );
    await load('sold', { 'shop.sold': {} });
    writeReadModel(dir.path, 'sold', { 'shop.>': {} });
    assert.equal((await changeModule(operator, 'reload', { name: 'sold' })).code, 'LISTEN_NOT_GRANTED');
    writeReadModel(dir.path, 'sold', { 'shop.sold': {} });
  });

  it('I6 has the fold of all events from the start of the log, and of those that come', async () => {
    await folded('sold', SOLD);
    await load('all', { 'shop.>': {}, 'shop.sold': {} });
    await load('customers', { 'shop.sold': { agent: '/to' } });
    await load('total', { 'shop.>': { to: 'module' } });
    for (const to of ['dan', 'eve']) await publish('sell', 'ann', { times: 6, data: { to } });
    await publish('refund', 'bob', { times: 2 });
    await folded('sold', SOLD);
    await folded('all', /^evt\.shop\./);
    await folded('customers', SOLD, ({ to }) => `${to}`);
    await folded('total', /^evt\.shop\./, () => '');
    await moduleStatus(broker, 'all', ({ lag, eventsWaiting }) => lag === 0 && eventsWaiting === 0);
  });

  it('stores nothing but the epochs of its starts', async () => {
    const kinds = new Set<string>();
    for await (const { subject } of readLog(operator))
      if (/\.(sold|all|customers|total)(\.|$)/.test(subject) && !/^(evt|cmd|res)\.shop\./.test(subject))
        kinds.add(subject.split('.')[0] as string);
    assert.deepEqual([...kinds], ['epoch']);
  });

  it('I7 gets the events that were granted, and no others', async () => {
    const filters = async (name: string): Promise<readonly string[]> => {
      const reply = await operator.request(`$JS.API.CONSUMER.INFO.${LOG}.${foldConsumer(name)}`, '', PATIENT);
      return reply.json<{ config: { filter_subjects: readonly string[] } }>().config.filter_subjects;
    };
    assert.deepEqual(await filters('sold'), ['evt.shop.sold', 'evt.shop.sold.*']);
  });

  it('is read by a request, and as it was', async () => {
    const state = (await guest.request('state.customers.dan', '', PATIENT)).json<{
      seq: number;
      state: { seen: number };
    }>();
    assert.equal(state.state.seen, 6);
    const { stdout, code } = await tallystick(
      ['agent', 'get', 'customers', 'dan', '--at', `${state.seq - 2}`, '--json'],
      { dataDir: broker.dataDir },
    );
    assert.equal(code, 0, stdout);
    assert.deepEqual((JSON.parse(stdout) as typeof state).state.seen, 4);
  });

  it('an event that names no agent changes none, and one that it cannot fold stops it until code comes that can', async () => {
    await publish('sell', 'ann', { times: 2, data: { to: 'no name' } });
    await publish('sell', 'ann', { times: 1, data: { to: 7 } });
    await folded('sold', SOLD);
    const at = writeReadModel(dir.path, 'strict', {
      'shop.sold': { agent: '/to', data: { properties: { to: { type: 'string' } } } },
    });
    const manifest = join(at, 'manifest.json');
    writeFileSync(manifest, readFileSync(manifest, 'utf8').replaceAll('"crashes":1000', '"crashes":2'));
    const code = join(at, 'index.js');
    writeFileSync(code, readFileSync(code, 'utf8').replaceAll('"crashes":1000', '"crashes":2'));
    const refused = await changeModule(operator, 'load', { dir: at, grant: true });
    assert.match(
      refused.message,
      /FOLD_FAILED: record \d+ cannot be folded: strict cannot fold shop.sold: data .*to/,
    );
    await changeModule(operator, 'unload', { name: 'strict' });
    await load('strict', { 'shop.sold': { agent: '/to' } });
    await waitFor('the states of all names', async () => {
      const counts = new Map(await countEventsBy(broker.dataDir, SOLD, ({ to }) => `${to}`));
      counts.delete('no name');
      await assertFolded(broker.dataDir, 'strict', counts);
      return true;
    });
  });

  itInDeep('verify compares its states with the log, and rebuild makes them again', async () => {
    const clean = await verify();
    assert.equal(clean.code, 0, clean.stdout);
    const { states } = JSON.parse(clean.stdout) as { states: readonly { module: string; agents: number }[] };
    assert.deepEqual(states.map(({ module }) => module).toSorted(), [
      'all',
      'customers',
      'shop',
      'sold',
      'strict',
      'total',
    ]);
    const rebuilt = await tallystick(['replay', 'rebuild', '--json'], { dataDir: broker.dataDir });
    assert.equal(rebuilt.code, 0, rebuilt.stderr);
    await publish('sell', 'ann', { times: 3, data: { to: 'dan' } });
    await folded('sold', SOLD);
    const checked = await tallystick(['replay', 'rebuild', '--check', '--json'], { dataDir: broker.dataDir });
    assert.equal(checked.code, 0, checked.stdout);
    await soundLog(broker.dataDir);
  });
});
