import assert from 'node:assert/strict';
import { it } from 'node:test';
import { defineModule, ok, Refused, Type } from '../../modules/entry.js';
import { startInProcess } from '../../testing/index.js';

const shop = defineModule({
  ...{ name: 'shop', version: '1.0.0', description: 'Sells.', state: {} },
  events: { sold: { data: Type.Object({ i: Type.Integer() }), evolve: (state) => state } },
  actions: {
    sell: {
      input: Type.Object({ i: Type.Integer() }),
      output: Type.Object({}),
      decide: (_, { i }) => ok({}, { sold: { i } }),
    },
  },
});

it('subscriptions in one process give events, keep what is acknowledged, and go over to the last program', async () => {
  await using tally = await startInProcess([shop]);
  const sell = (i: number) => tally.agent(shop, 'a').sell({ i });
  for (const i of [0, 1, 2]) await sell(i);
  const options = { durable: 'books', from: 'start' } as const;
  const seen: number[] = [];
  for await (const { data, name, agent } of tally.subscribe(shop, 'sold', options)) {
    assert.deepEqual([name, agent], ['sold', 'a']);
    if (seen.push(data.i) === 2) break;
  }
  assert.deepEqual(seen, [0, 1]);
  const second = tally.subscribe(shop, ['sold'], options);
  assert.equal((await second.next()).value.data.i, 1);
  const handled = (await second.next()).value;
  assert.equal(handled.data.i, 2);
  await handled.ack();
  const waiting = second.next();
  await sell(3);
  const third = (await waiting).value;
  assert.equal(third.data.i, 3);
  const last = tally.subscribe(shop, 'sold', options);
  assert.equal((await last.next()).value.data.i, 3);
  const taken = (thrown: unknown): boolean =>
    thrown instanceof Refused && thrown.code === 'SUBSCRIPTION_TAKEN';
  await assert.rejects(second.next(), taken);
  await assert.rejects(third.ack(), taken);
  const other = tally.subscribe(shop, 'sold', { durable: 'others' });
  await other.opened;
  const none = other.next();
  await tally.close();
  assert.equal((await none).done, true);
});
