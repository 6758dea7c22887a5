import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { connect, type NatsConnection } from 'nats';
import type { ListedSubscription } from '../../schemas/subscription.js';
import { startBroker, tallystick, type TestBroker } from '../support/broker.js';
import { writeShop } from '../support/hearing.js';
import { tempDir } from '../support/temp-dir.js';

describe('tallystick subscribe', () => {
  const dir = tempDir();
  let broker: TestBroker;
  let guest: NatsConnection;

  before(async () => {
    broker = await startBroker({
      args: ['--no-shipped', '--durability', 'os', '--module', writeShop(dir.path)],
    });
    guest = await connect({ servers: broker.url });
    for (const agent of ['ann', 'bob']) {
      const body = JSON.stringify({ times: 3, data: { of: agent } });
      await guest.request(`call.shop.sell.${agent}`, body, { timeout: 10_000 });
    }
  });
  after(async () => {
    await guest.close();
    await broker[Symbol.asyncDispose]();
    await dir[Symbol.asyncDispose]();
  });

  const by = (...args: readonly string[]) => tallystick(args, { dataDir: broker.dataDir });
  const indexes = (text: string): readonly number[] =>
    text
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { data: { i: number } }).data.i);

  it('prints events and acknowledges those that it printed', async () => {
    const run = (limit: number) =>
      by('subscribe', 'shop.sold', '--durable', 'mail', '--from', 'start', '--limit', `${limit}`, '--json');
    const first = await run(2);
    assert.equal(first.code, 0, first.stderr);
    assert.deepEqual(indexes(first.stdout), [0, 1]);
    assert.deepEqual(indexes((await run(3)).stdout), [2, 0, 1]);
    const text = await by(
      'subscribe',
      'shop.>',
      '--durable',
      'bob',
      '--agent',
      'bob',
      '--from',
      'start',
      '--limit',
      '1',
    );
    assert.match(text.stdout, /^\d+ \S+Z shop\.sold bob \{"of":"bob","i":0\}\n$/);
  });

  it('lists subscriptions with their lag, and deletes them', async () => {
    const listed = await by('subscription', 'list', '--json');
    const { subscriptions } = JSON.parse(listed.stdout) as { subscriptions: readonly ListedSubscription[] };
    assert.deepEqual(
      subscriptions.map(({ account, name, lag }) => [account, name, lag]),
      [
        ['operator', 'bob', 2],
        ['operator', 'mail', 1],
      ],
    );
    const table = await by('subscription', 'list');
    assert.match(table.stdout, /^mail +operator +shop\.sold +\d+ +1$/m);
    const deleted = await by('subscription', 'delete', 'mail');
    assert.equal(deleted.stdout, 'subscription mail is deleted\n');
    const again = await by('subscription', 'delete', 'mail');
    assert.equal(again.code, 1);
    assert.match(again.stderr, /SUBSCRIPTION_UNKNOWN/);
  });

  it('refuses wrong usage before it asks anything', async () => {
    for (const args of [
      ['shop', '--durable', 'x'],
      ['shop.sold'],
      ['shop.sold', '--durable', 'a b'],
      ['shop.sold', '--durable', 'x', '--from', 'then'],
    ])
      assert.equal((await by('subscribe', ...args)).code, 2, args.join(' '));
  });
});
