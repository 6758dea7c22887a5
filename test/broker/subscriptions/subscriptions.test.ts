import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from 'nats';
import { openTargetConnection } from '../../../link/open-target.js';
import { findTarget } from '../../../link/target.js';
import { LOG } from '../../../schemas/log.js';
import { MAX_PAGE_EVENTS, MAX_SUBSCRIPTIONS } from '../../../schemas/subscription.js';
import { startBroker, tallystick, type TestBroker } from '../../support/broker.js';
import { success } from '../../support/either.js';
import { readHeard, writeShop } from '../../support/hearing.js';
import { connectOperator } from '../../support/log-checks.js';
import { subscriber } from '../../support/subscribing.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';
import { PATIENT } from '../../support/patient.js';

describe('a subscription of a program', () => {
  const dir = tempDir();
  let broker: TestBroker;
  let guest: NatsConnection;
  let operator: NatsConnection;
  const args = ['--no-shipped', '--durability', 'os'];

  const start = async (): Promise<void> => {
    broker = await startBroker({
      dataDir: join(dir.path, 'data'),
      args: [...args, '--module', writeShop(dir.path)],
    });
    guest = await connect({ servers: broker.url });
    operator = await connectOperator(broker.dataDir);
  };
  const stop = async (): Promise<void> => {
    await guest.close();
    await operator.close();
    await broker[Symbol.asyncDispose]();
  };
  let published = 0;
  /** Publishes events, and waits until the log has them: they follow the result. */
  const sell = async (
    agent: string,
    times = 1,
    action = 'sell',
    data: object = { of: agent },
  ): Promise<void> => {
    const body = JSON.stringify({ times, data });
    const reply = await guest.request(`call.shop.${action}.${agent}`, body, { timeout: 10_000 });
    assert.equal(reply.json<{ status: string }>().status, 'ok');
    published += times;
    await waitFor('the log to have the events', async () => {
      const { streams } = await jetstreamManager(operator, { checkAPI: false });
      const { state } = await streams.info(LOG, { subjects_filter: 'evt.shop.>' });
      const counts = Object.values(state.subjects ?? {});
      return counts.reduce((sum, count) => sum + count, 0) === published;
    });
  };
  /** Sequences of the events in the log whose subjects fit. */
  const stored = async (fits: RegExp): Promise<readonly number[]> =>
    [...(await readHeard(broker.dataDir)).events].filter(([, text]) => fits.test(text)).map(([seq]) => seq);
  /** A connection of a principal with these grants, by the token that an operator makes. */
  const withToken = async (name: string, ...allow: readonly string[]): Promise<NatsConnection> => {
    const grants = allow.flatMap((grant) => ['--allow', grant]);
    const made = await tallystick(['token', 'create', name, ...grants, '--data', broker.dataDir], {
      cwd: dir.path,
    });
    assert.equal(made.code, 0, made.stderr);
    const target = success(findTarget({ token: join(dir.path, `${name}.token`) }, {}));
    return success(await openTargetConnection(target)());
  };
  /** All events from a position on, in pages. */
  const readAll = async (nc: NatsConnection, name: string, batch: number): Promise<readonly number[]> => {
    const seqs: number[] = [];
    for (let at: number | undefined; ; ) {
      const page = await subscriber(nc).next(name, at === undefined ? { batch } : { batch, after: at });
      assert.equal(page.error, undefined, page.error?.message);
      assert.ok(page.events.length <= batch);
      seqs.push(...page.events.map(({ seq }) => seq));
      if (page.events.length === 0) return seqs;
      at = page.upTo;
    }
  };

  before(start);
  after(async () => {
    await stop();
    await dir[Symbol.asyncDispose]();
  });

  it('gives each event from its begin on, in the order of the log, and again until it is acknowledged', async () => {
    for (const agent of ['ann', 'bob']) await sell(agent, 30);
    await sell('ann', 5, 'refund');
    const by = subscriber(guest);
    const sold = await stored(/^evt\.shop\.sold\./);
    const opened = await by.open('all', { events: ['shop.>'], from: 'start' });
    assert.deepEqual(opened, { account: 'guest', name: 'all', events: ['shop.>'], agent: null, position: 0 });
    await by.open('sold', { events: ['shop.sold'], from: sold[7] as number });
    await by.open('ann', { events: ['shop.>'], agent: 'ann', from: 'start' });
    await by.open('now', { events: ['shop.sold'] });
    for (const batch of [1, 7, 256]) {
      assert.deepEqual(await readAll(guest, 'all', batch), await stored(/^evt\.shop\./), `${batch}`);
      assert.deepEqual(await readAll(guest, 'sold', batch), sold.slice(7));
      assert.deepEqual(await readAll(guest, 'ann', batch), await stored(/^evt\.shop\.\w+\.ann$/));
      assert.deepEqual(await readAll(guest, 'now', batch), []);
    }
    const { events } = await by.next('sold', { batch: 1 });
    const [first] = events;
    assert.deepEqual(
      { ...first, time: '' },
      { event: 'shop.sold', agent: 'ann', seq: sold[7], time: '', data: { of: 'ann', i: 7 } },
    );
    // What is acknowledged does not come again, and an earlier acknowledgement takes nothing back.
    assert.deepEqual(await by.ack('sold', sold[9] as number), { position: sold[9] });
    assert.deepEqual(await by.ack('sold', sold[8] as number), { position: sold[9] });
    assert.equal((await by.next('sold', { batch: 1, after: 1 })).events[0]?.seq, sold[10]);
    await Promise.all(sold.slice(10, 20).map((seq) => by.ack('sold', seq)));
    assert.equal((await by.next('sold')).position, sold[19]);
  });

  it('waits for an event as long as a request asks, and hears each that comes meanwhile', async () => {
    const by = subscriber(guest);
    const { events: none } = await by.next('now', { expiresMs: 30 });
    assert.deepEqual(none, []);
    const waiting = by.next('now', { expiresMs: 30_000 });
    await sell('cyd');
    const { events, upTo } = await waiting;
    assert.deepEqual(
      events.map(({ agent }) => agent),
      ['cyd'],
    );
    const others = by.next('now', { expiresMs: 30_000, after: upTo });
    await sell('cyd', 1, 'refund');
    await sell('dan', 3);
    assert.equal((await others).events[0]?.agent, 'dan');
  });

  it('keeps its position when broker and server are killed', async () => {
    const { position } = await subscriber(guest).next('sold');
    const left = await readAll(guest, 'sold', 100);
    await broker.kill();
    await stop();
    await start();
    const page = await subscriber(guest).next('sold', { batch: 1 });
    assert.equal(page.position, position);
    assert.deepEqual(await readAll(guest, 'sold', 100), left);
    await sell('eve');
    assert.equal((await readAll(guest, 'sold', 100)).length, left.length + 1);
  });

  it('goes over to the program that opens it last; the one before gets SUBSCRIPTION_TAKEN', async () => {
    const by = subscriber(guest);
    const events = ['shop.sold'];
    await by.open('shared', { events, from: 'start', session: 'first' });
    const { events: page } = await by.next('shared', { session: 'first', batch: 5 });
    const { upTo } = await by.next('shared', { session: 'first' });
    const idle = by.next('shared', { session: 'first', expiresMs: 30_000, after: upTo });
    const opened = await by.open('shared', { events, from: 'now', session: 'second' });
    assert.equal(opened.position, 0, 'from counts once');
    await sell('fay');
    for (const said of [
      await idle,
      await by.next('shared', { session: 'first' }),
      await by.ack('shared', page[3]?.seq ?? 0, { session: 'first' }),
      await by.next('shared'),
    ])
      assert.equal(said.error?.code, 'SUBSCRIPTION_TAKEN');
    const again = await by.next('shared', { session: 'second', batch: 5 });
    assert.deepEqual(again.events, page, 'nothing that the first had is lost');
  });

  it('answers what it cannot do with a typed error, and moves no position', async () => {
    const by = subscriber(guest);
    const before = await by.list();
    const end = Math.max(...(await stored(/^/)));
    const codes: readonly (readonly [
      said: Promise<{ readonly error?: { readonly code: string } }>,
      code: string,
    ])[] = [
      [by.next('nobody'), 'SUBSCRIPTION_UNKNOWN'],
      [by.ack('nobody', 1), 'SUBSCRIPTION_UNKNOWN'],
      [by.remove('nobody'), 'SUBSCRIPTION_UNKNOWN'],
      [by.open('sold', { events: ['shop.refunded'] }), 'SUBSCRIPTION_DIFFERS'],
      [by.open('sold', { events: ['shop.sold'], agent: 'ann' }), 'SUBSCRIPTION_DIFFERS'],
      [by.open('x', { events: [] }), 'PAYLOAD_INVALID'],
      [by.open('x', { events: ['shop'] }), 'PAYLOAD_INVALID'],
      [by.open('x', { events: ['>'] }), 'PAYLOAD_INVALID'],
      [by.open('x', { events: ['shop.so*'] }), 'PAYLOAD_INVALID'],
      [by.open('x', { events: ['shop.sold'], from: end + 1_000 }), 'PAYLOAD_INVALID'],
      [by.open('x', { events: ['shop.sold'], from: 'then' }), 'PAYLOAD_INVALID'],
      [by.open('x%', { events: ['shop.sold'] }), 'SUBJECT_INVALID'],
      [by.ack('sold', end + 1_000), 'PAYLOAD_INVALID'],
      [by.ack('sold', -1), 'PAYLOAD_INVALID'],
      [by.next('sold', { batch: MAX_PAGE_EVENTS + 1 }), 'PAYLOAD_INVALID'],
      [by.next('sold', { expiresMs: 30_001 }), 'PAYLOAD_INVALID'],
      [by.next('sold', '{"batch":'), 'PAYLOAD_NOT_JSON'],
      [by.next('sold', { after: end + 1_000 }), 'SUBSCRIPTION_LOST'],
      [by.remove('sold', { account: 'operator' }), 'NOT_ALLOWED'],
    ];
    for (const [i, [said, code]] of codes.entries())
      assert.equal((await said).error?.code, code, `case ${i}`);
    assert.deepEqual(await by.list(), before);
  });

  it('is of one account: no other account sees it, uses it or deletes it, but an operator who keeps the log', async () => {
    const names = async (nc: NatsConnection): Promise<readonly string[]> =>
      (await subscriber(nc).list()).map(({ account, name }) => `${account}.${name}`);
    await using ci = await withToken('ci', 'listen shop.sold');
    await using other = await withToken('other', 'listen shop');
    const by = subscriber(ci);
    assert.equal((await by.next('sold')).error?.code, 'SUBSCRIPTION_UNKNOWN');
    assert.equal((await by.open('sold', { events: ['shop.sold'], from: 'start' })).position, 0);
    assert.equal((await subscriber(other).ack('sold', 5)).error?.code, 'SUBSCRIPTION_UNKNOWN');
    assert.deepEqual(await names(ci), ['_ci.sold']);
    assert.deepEqual(await names(other), []);
    assert.ok(!(await names(guest)).includes('_ci.sold'));
    const listed = (await subscriber(operator).list()).find(({ account }) => account === '_ci');
    assert.equal(listed?.lag, (await stored(/^evt\.shop\.sold\./)).length);
    assert.equal((await subscriber(other).remove('sold', { account: '_ci' })).error?.code, 'NOT_ALLOWED');
    assert.deepEqual(await subscriber(operator).remove('sold', { account: '_ci' }), { deleted: 'sold' });
    assert.equal((await by.next('sold')).error?.code, 'SUBSCRIPTION_UNKNOWN');
  });

  it('I7 gives no event that the grant listen does not cover, at no time', async () => {
    await using one = await withToken('one', 'listen shop.sold.ann', 'listen shop.refunded');
    const by = subscriber(one);
    for (const [events, rest] of [
      [['shop.sold'], {}],
      [['shop.>'], {}],
      [['shop.>'], { agent: 'ann' }],
      [['shop.refunded', 'other.happened'], {}],
      [['shop.sold'], { agent: 'bob' }],
    ] as const)
      assert.equal((await by.open('x', { events, ...rest })).error?.code, 'NOT_ALLOWED', `${events} ${rest}`);
    await by.open('ann', { events: ['shop.sold'], agent: 'ann', from: 'start' });
    await by.open('back', { events: ['shop.refunded'], from: 'start' });
    assert.deepEqual(await readAll(one, 'ann', 256), await stored(/^evt\.shop\.sold\.ann$/));
    assert.deepEqual(await readAll(one, 'back', 256), await stored(/^evt\.shop\.refunded\./));
    const { upTo } = await by.next('back');
    const waiting = by.next('back', { after: upTo, expiresMs: 30_000 });
    const change = ['token', 'change', 'one', '--remove', 'listen shop.refunded', '--data', broker.dataDir];
    assert.equal((await tallystick(change)).code, 0);
    await sell('ann', 1, 'refund');
    const refused = await waiting;
    assert.equal(refused.error?.code, 'NOT_ALLOWED');
    assert.match(refused.error.message, /listen shop\.refunded/);
    assert.equal((await by.ack('back', upTo)).error?.code, 'NOT_ALLOWED');
    // A grant of another method gives none.
    await using caller = await withToken('caller', 'call shop');
    await assert.rejects(caller.request('subscription.next.ann', '', PATIENT), /permission/i);
  });

  it('is deleted while a request waits, and a new one of the name begins where it says', async () => {
    const by = subscriber(guest);
    const events = ['shop.sold'];
    await by.open('brief', { events });
    const waiting = by.next('brief', { expiresMs: 30_000 });
    await by.remove('brief');
    assert.ok(['SUBSCRIPTION_UNKNOWN', 'LOG_UNAVAILABLE'].includes((await waiting).error?.code ?? ''));
    assert.equal((await by.open('brief', { events, from: 'start' })).position, 0);
    assert.deepEqual(await readAll(guest, 'brief', 50), await stored(/^evt\.shop\.sold\./));
  });

  it('pages fit into a message of the server, whatever the events are', async () => {
    const by = subscriber(guest);
    await by.open('large', { events: ['shop.sold'], agent: 'gus' });
    for (const length of [60_000, 10, 55_000, 3_000, 60_000])
      await sell('gus', 8, 'sell', { text: 'x'.repeat(length) });
    const due = await stored(/^evt\.shop\.sold\.gus$/);
    assert.ok((await by.next('large')).events.length < due.length);
    assert.deepEqual(await readAll(guest, 'large', 256), due);
  });

  it('is one of a limited number of its account', async () => {
    const by = subscriber(operator);
    const open = (i: number) => by.open(`n${i}`, { events: ['shop.sold'] });
    const all = await Promise.all(Array.from({ length: MAX_SUBSCRIPTIONS + 3 }, (_, i) => open(i)));
    assert.equal(all.filter(({ error }) => error?.code === 'SUBSCRIPTIONS_FULL').length, 3);
    const own = (await by.list()).filter(({ account }) => account === 'operator');
    assert.equal(own.length, MAX_SUBSCRIPTIONS);
    await by.remove(own[0]?.name ?? '');
    assert.equal((await open(1_000)).error, undefined);
  });
});
