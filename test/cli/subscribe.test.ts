import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect, type NatsConnection } from 'nats';
import type { ListedSubscription } from '../../schemas/subscription.js';
import { startBroker, tallystick, type TestBroker } from '../support/broker.js';
import { brokerStatus } from '../support/broker-status.js';
import { writeShop } from '../support/hearing.js';
import { sourceManifest, writeSourceModule } from '../support/source-module.js';
import { tempDir } from '../support/temp-dir.js';

/** A module whose events have a value that is marked as sensitive. */
const writeVault = (dir: string): string => {
  const card = { type: 'object', properties: { card: { type: 'string', sensitive: true } } };
  const manifest = sourceManifest('vault', {
    actions: { keep: { input: card, output: {} } },
    events: { kept: { data: card } },
  });
  return writeSourceModule(join(dir, 'vault'), manifest, {
    'package.json': '{"type":"module"}',
    'index.js': `
export default {
  manifest: ${JSON.stringify(manifest)},
  initial: {},
  actions: {
    keep: { decide: (_, { data }) => ({ _tag: 'Right', right: { data: {}, events: [{ name: 'kept', data }] } }) },
  },
  evolve: { kept: (state) => state },
};
`,
  });
};

describe('tallystick subscribe', () => {
  const dir = tempDir();
  let broker: TestBroker;
  let guest: NatsConnection;

  before(async () => {
    broker = await startBroker({
      args: [
        ...['--no-shipped', '--durability', 'os'],
        ...[writeShop(dir.path), writeVault(dir.path)].flatMap((path) => ['--module', path]),
      ],
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

  it('says which events no module emits, and gives the others', async () => {
    const events = ['shop.sold', 'shop.sould', 'shopp.sold', 'shopp.>', 'shop.>'];
    const { code, stdout, stderr } = await by(
      ...['subscribe', ...events, '--durable', 'typo', '--from', 'start', '--limit', '1', '--json'],
    );
    assert.deepEqual([code, indexes(stdout)], [0, [0]]);
    assert.deepEqual(JSON.parse(stderr), { unknown: ['shop.sould', 'shopp.>', 'shopp.sold'] });
    const text = await by(
      'subscribe',
      'shop.sold',
      'shop.sould',
      '--durable',
      'typo2',
      '--from',
      'start',
      '--limit',
      '1',
    );
    assert.match(text.stderr, /no module emits shop\.sould now/);
    for (const name of ['typo', 'typo2']) assert.equal((await by('subscription', 'delete', name)).code, 0);
  });

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

  it('shows the lag in the status', async () => {
    const { subscriptions = [] } = await brokerStatus(broker.dataDir);
    assert.deepEqual(
      subscriptions.map(({ name, lag }) => [name, lag]),
      [['bob', 2]],
    );
  });

  it('hides values that are marked as sensitive, and shows them with --reveal, which the audit has', async () => {
    await guest.request('call.vault.keep.a', '{"card":"4711"}', { timeout: 10_000 });
    const run = (durable: string, ...more: readonly string[]) =>
      by('subscribe', 'vault.kept', '--durable', durable, '--from', 'start', '--limit', '1', ...more);
    for (const form of [[], ['--json']]) {
      const { stdout, code, stderr } = await run(`hidden${form.length}`, ...form);
      assert.equal(code, 0, stderr);
      assert.match(stdout, /vault\.kept/);
      assert.doesNotMatch(stdout, /4711/);
    }
    assert.match((await run('shown', '--reveal')).stdout, /"card":"4711"/);
    const audit = await by('audit', 'list', '--json');
    assert.match(audit.stdout, /subscribe shown/);
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
