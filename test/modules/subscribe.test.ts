import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect, type Tally } from '../../modules/client/index.js';
import { Refused } from '../../modules/sdk/index.js';
import { startBroker, tallystick, type TestBroker } from '../support/broker.js';
import { writeShop } from '../support/hearing.js';
import { shop } from '../support/shop.js';
import { pause } from '../../system/async/pause.js';
import { tempDir } from '../support/temp-dir.js';
import { waitFor } from '../support/wait-for.js';

const codeOf = async (work: Promise<unknown>): Promise<string> => {
  try {
    await work;
    return 'none';
  } catch (thrown) {
    assert.ok(thrown instanceof Refused, String(thrown));
    return thrown.code;
  }
};

describe('subscribe of a program', () => {
  const dir = tempDir();
  let broker: TestBroker;
  let tally: Tally;

  before(async () => {
    broker = await startBroker({
      args: ['--no-shipped', '--durability', 'os', '--module', writeShop(dir.path)],
    });
    tally = await connect({ server: broker.url });
  });
  after(async () => {
    await tally.close();
    await broker[Symbol.asyncDispose]();
    await dir[Symbol.asyncDispose]();
  });

  const sell = (agent: string, times: number): Promise<unknown> => tally.agent(shop, agent).sell({ times });
  const withToken = async (name: string, allow: string): Promise<string> => {
    const args = ['token', 'create', name, '--allow', allow, '--data', broker.dataDir];
    const made = await tallystick(args, { cwd: dir.path });
    assert.equal(made.code, 0, made.stderr);
    return join(dir.path, `${name}.token`);
  };

  it('gives typed events in order; the next program continues behind the last one that was asked past', async () => {
    const first = tally.subscribe(shop, ['sold', 'refunded'], { durable: 'loop' });
    await first.opened;
    await sell('ann', 10);
    const seen: number[] = [];
    for await (const event of first) {
      assert.equal(event.name, 'sold');
      assert.equal(event.agent, 'ann');
      assert.equal(event.data.i, seen.length);
      seen.push(event.data.i);
      // This one is not handled: the loop does not ask for the next.
      if (seen.length === 4) break;
    }
    assert.deepEqual(await first.next(), { done: true, value: undefined });
    await using other = await connect({ server: broker.url });
    await using second = other.subscribe(shop, ['refunded', 'sold'], { durable: 'loop', from: 'start' });
    for (const i of [3, 4, 5, 6, 7, 8, 9]) assert.equal((await second.next()).value.data.i, i);
  });

  it('waits for events that come later, and ends when it is closed', async () => {
    const events = tally.subscribe(shop, 'sold', { durable: 'later', agent: 'bob' });
    await events.opened;
    const next = events.next();
    await sell('ann', 1);
    await sell('bob', 1);
    assert.equal((await next).value.agent, 'bob');
    const none = events.next();
    await events.close();
    assert.equal((await none).done, true);
  });

  it('acknowledges by hand where you say so: all up to that event', async () => {
    const options = { durable: 'hand', ack: 'explicit' } as const;
    const first = tally.subscribe(shop, 'sold', options);
    await first.opened;
    await sell('cyd', 5);
    const events = [];
    for await (const event of first) if (events.push(event) === 4) break;
    await using second = tally.subscribe(shop, 'sold', options);
    const again = await second.next();
    assert.equal(again.value.data.i, 0, 'nothing is acknowledged');
    await second.next();
    const third = (await second.next()).value;
    await third.ack();
    await second.next();
    await second.close();
    await using last = tally.subscribe(shop, 'sold', options);
    assert.equal((await last.next()).value.data.i, 3);
  });

  it('ends with SUBSCRIPTION_TAKEN where another program opens it, which gets what is not acknowledged', async () => {
    await using before = tally.subscribe(shop, 'sold', { durable: 'pair', from: 'start' });
    const first = await before.next();
    const waiting = before.next().then(() => before.next());
    await using now = tally.subscribe(shop, 'sold', { durable: 'pair' });
    assert.ok((await now.next()).value.seq <= first.value.seq + 1);
    const ended = async (): Promise<void> => {
      await waiting;
      for await (const _ of before) void _;
    };
    assert.equal(await codeOf(ended()), 'SUBSCRIPTION_TAKEN');
    assert.equal(await codeOf(first.value.ack()), 'SUBSCRIPTION_TAKEN');
  });

  it('throws what the broker refuses, and what is no subscription', async () => {
    const of = (events: 'sold' | 'refunded', durable: string, agent?: string) =>
      tally.subscribe(shop, events, { durable, ...(agent === undefined ? {} : { agent }) });
    assert.equal(await codeOf(of('refunded', 'hand').opened), 'SUBSCRIPTION_DIFFERS');
    assert.equal(await codeOf(of('refunded', 'hand').next()), 'SUBSCRIPTION_DIFFERS');
    assert.equal(await codeOf(of('sold', 'a b').next()), 'NAME_INVALID');
    assert.equal(await codeOf(of('sold', 'x', 'a b').next()), 'NAME_INVALID');
    assert.equal(await codeOf(of('bought' as 'sold', 'x').next()), 'USAGE');
    await using caller = await connect({ token: await withToken('caller', 'call shop') });
    const refused = caller.subscribe(shop, 'sold', { durable: 'x' });
    assert.equal(await codeOf(refused.next()), 'NOT_ALLOWED');
  });

  it('ends with a typed refusal when its token is revoked or its grant is taken away', async () => {
    for (const [name, act] of [
      ['gone', ['revoke', 'gone']],
      ['less', ['change', 'less', '--add', 'call shop', '--remove', 'listen shop']],
    ] as const) {
      const own = await connect({ token: await withToken(name, 'listen shop') });
      const events = own.subscribe(shop, 'sold', { durable: 'x' });
      await events.opened;
      const ended = codeOf(events.next());
      const done = await tallystick(['token', ...act, '--data', broker.dataDir]);
      assert.equal(done.code, 0, done.stderr);
      // A request that waits is judged when there is an event for it.
      const code = await waitFor('the subscription to end', async () => {
        await sell('dan', 1);
        return Promise.race([ended, pause(200).then(() => undefined)]);
      });
      assert.ok(['SERVER_REFUSED', 'NOT_ALLOWED', 'LOG_UNAVAILABLE'].includes(code), `${name}: ${code}`);
      await own.close();
    }
  });
});
