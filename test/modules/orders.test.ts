import { test } from 'node:test';
import accountsModule from '../../modules/accounts/index.js';
import agentsModule from '../../modules/agents/index.js';
import orders from '../../modules/orders/index.js';
import { send } from '../../modules/sdk/index.js';
import { type ScriptedReply, answered, rejected, specification } from '../../testing/index.js';

const { manifest: accounts } = accountsModule;
const { manifest: agents } = agentsModule;
const { manifest: ordersManifest } = orders;

const order = specification(orders).agent('order-1');
const request = { item: 'apple', quantity: 3, unitPrice: 5, customer: 'ada' };
const details = { ...request, total: 15, conversation: 40 };
const at = { seq: 42, conversation: 40 };

const reserve = send(ordersManifest, 'reserve', 'apple', { order: 'order-1', quantity: 3 });
const withdraw = send(accounts, 'withdraw', 'ada', { amount: 15 });
const assign = send(agents, 'assign', 'ada', { conversation: 40 });
const deposit = send(accounts, 'deposit', 'ada', { amount: 15 });
const unreserve = send(ordersManifest, 'unreserve', 'apple', { order: 'order-1' });

const GOOD: Readonly<Record<string, unknown>> = {
  reserve: { onHand: 10, reserved: 3, available: 7 },
  withdraw: { balance: 0 },
  assign: { conversation: 40, open: 1 },
  deposit: { balance: 15 },
};

/** Everything answers well but what is named, which refuses with that code. */
const answering =
  (refusals: Readonly<Record<string, string>> = {}): ScriptedReply =>
  ({ name }) => {
    const code = refusals[name];
    return code === undefined ? answered(GOOD[name]) : rejected(code, `no ${name}`);
  };

const reason = (step: 'reserve' | 'pay' | 'assign', code: string, message: string) => ({
  step,
  code,
  message,
});
const confirmed = { name: 'order_confirmed' as const, data: details };
const refusal = (why: ReturnType<typeof reason>, refundOwed: number) => ({
  name: 'order_refused' as const,
  data: { ...details, reason: why, refundOwed },
});

test('an order reserves, takes the money, assigns the conversation, and sells what it reserved', async () => {
  await order
    .when('place', request, at)
    .answering(answering())
    .thenDecided({
      calls: [reserve, withdraw, assign],
      data: { status: 'confirmed', total: 15 },
      events: [confirmed],
      commands: [send(ordersManifest, 'confirm', 'apple', { order: 'order-1' })],
      state: { order: { ...details, status: 'confirmed', reason: null, refundOwed: 0 } },
    });
});

test('an order whose stock is refused ends there, with nothing to undo', async () => {
  const why = reason('reserve', 'OUT_OF_STOCK', 'no reserve');
  await order
    .when('place', request, at)
    .answering(answering({ reserve: 'OUT_OF_STOCK' }))
    .thenDecided({
      calls: [reserve],
      data: { status: 'refused', reason: why, refundOwed: 0 },
      events: [refusal(why, 0)],
    });
});

test('an order whose payment is refused gives the stock back', async () => {
  const why = reason('pay', 'INSUFFICIENT_FUNDS', 'no withdraw');
  await order
    .when('place', request, at)
    .answering(answering({ withdraw: 'INSUFFICIENT_FUNDS' }))
    .thenDecided({
      calls: [reserve, withdraw],
      data: { status: 'refused', reason: why, refundOwed: 0 },
      events: [refusal(why, 0)],
      commands: [unreserve],
    });
});

test('an order whose customer is no agent gives the money back, then the stock', async () => {
  const why = reason('assign', 'NOT_SPAWNED', 'no assign');
  await order
    .when('place', request, at)
    .answering(answering({ assign: 'NOT_SPAWNED' }))
    .thenDecided({
      calls: [reserve, withdraw, assign, deposit],
      data: { status: 'refused', reason: why, refundOwed: 0 },
      events: [refusal(why, 0)],
      commands: [unreserve],
    });
});

const why = reason('assign', 'NOT_SPAWNED', 'no assign');
const owing = order.given([refusal(why, 15)]);

test('money that cannot be given back is owed, not lost', async () => {
  await order
    .when('place', request, at)
    .answering(answering({ assign: 'NOT_SPAWNED', deposit: 'LIMIT_EXCEEDED' }))
    .thenDecided({
      calls: [reserve, withdraw, assign, deposit],
      data: { status: 'refused', reason: why, refundOwed: 15 },
      events: [refusal(why, 15)],
      commands: [unreserve],
      state: { order: { ...details, status: 'refused', reason: why, refundOwed: 15 } },
    });
});

test('what is owed is paid once it can be', async () => {
  await owing
    .when('settle', {})
    .answering(answering({ deposit: 'LIMIT_EXCEEDED' }))
    .thenRejected('REFUND_REFUSED', { calls: [deposit] });
  await owing
    .when('settle', {})
    .answering(answering())
    .thenDecided({
      calls: [deposit],
      data: { refunded: 15 },
      events: [{ name: 'refund_paid', data: { amount: 15 } }],
      state: { order: { ...details, status: 'refused', reason: why, refundOwed: 0 } },
    });
  await owing
    .given([{ name: 'refund_paid', data: { amount: 15 } }])
    .when('settle', {})
    .answering(answering())
    .thenDecided({ data: { refunded: 0 } });
  await order.when('settle', {}).answering(answering()).thenRejected('ORDER_UNKNOWN');
});

test('a second order of one conversation finds it assigned, which is what it wanted', async () => {
  await order
    .when('place', request, at)
    .answering(answering({ assign: 'ALREADY_ASSIGNED' }))
    .thenDecided({
      calls: [reserve, withdraw, assign],
      data: { status: 'confirmed', total: 15 },
      events: [confirmed],
      commands: [send(ordersManifest, 'confirm', 'apple', { order: 'order-1' })],
    });
});

test('an order is placed once, however it ended', async () => {
  for (const before of [order.given([confirmed]), owing]) {
    await before.when('place', request, at).answering(answering()).thenRejected('ALREADY_PLACED');
  }
});

test('names tell orders and items apart, so that no order waits for an order', async () => {
  const place = (agent: string, item: string) =>
    specification(orders)
      .agent(agent)
      .when('place', { ...request, item }, at)
      .answering(answering());
  await place('apple', 'pear').thenRejected('NOT_AN_ORDER');
  await place('order-1', 'order-2').thenRejected('PAYLOAD_INVALID');
  order.when('restock', { quantity: 1 }).thenRejected('NOT_AN_ITEM');
});

test('an order above what an account can pay at once is rejected before anything is done', async () => {
  await order
    .when('place', { ...request, quantity: 1_000_000, unitPrice: 1_000_001 }, at)
    .answering(answering())
    .thenRejected('TOTAL_TOO_HIGH');
});

test('an order shows what became of it', () => {
  order.when('show', {}).thenRejected('ORDER_UNKNOWN');
  owing
    .when('show', {})
    .thenDecided({ data: { ...details, status: 'refused', reason: why, refundOwed: 15 } });
});

test('an order that is fulfilled releases the conversation', () => {
  order
    .given([confirmed])
    .when('fulfil', {})
    .thenDecided({
      data: { status: 'fulfilled' },
      events: [{ name: 'order_fulfilled', data: {} }],
      commands: [send(agents, 'release', 'ada', { conversation: 40 })],
      state: { order: { ...details, status: 'fulfilled', reason: null, refundOwed: 0 } },
    });
  owing.when('fulfil', {}).thenRejected('NOT_CONFIRMED');
  order
    .given([confirmed, { name: 'order_fulfilled', data: {} }])
    .when('fulfil', {})
    .thenRejected('NOT_CONFIRMED');
});

test('an order that is cancelled undoes what it has done, wherever the cancel meets it', async () => {
  const calls = [reserve, withdraw, assign];
  const undone: readonly (readonly ReturnType<typeof send>[])[] = [[], [], [deposit]];
  for (const [i, step] of (['reserve', 'pay', 'assign'] as const).entries()) {
    const why = reason(step, 'CANCELLED', 'the command was cancelled by record 1');
    await order
      .when('place', request, { ...at, cancelledAt: i + 1 })
      .answering(answering())
      .thenDecided({
        calls: [...calls.slice(0, i), ...(undone[i] ?? [])],
        data: { status: 'refused', reason: why, refundOwed: 0 },
        events: [refusal(why, 0)],
        commands: i === 0 ? [] : [unreserve],
      });
  }
});
