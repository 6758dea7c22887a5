import { test } from 'node:test';
import orders from '../../modules/orders/index.js';
import { specification } from '../../testing/index.js';

const apple = specification(orders).agent('apple');
const restocked = (quantity: number) => ({ name: 'restocked' as const, data: { quantity } });
const reserved = (order: string, quantity: number) => ({
  name: 'stock_reserved' as const,
  data: { order, quantity },
});

test('an item that nobody has stocked has none', () => {
  apple.when('stock', {}).thenDecided({ data: { onHand: 0, reserved: 0, available: 0 } });
});

test('what is restocked is available', () => {
  apple
    .given([restocked(10), reserved('order-1', 4)])
    .when('restock', { quantity: 5 })
    .thenDecided({ data: { onHand: 15, reserved: 4, available: 11 }, events: [restocked(5)] });
});

test('what is reserved is not available to others', () => {
  const stocked = apple.given([restocked(10), reserved('order-1', 4)]);
  stocked.when('reserve', { order: 'order-2', quantity: 6 }).thenDecided({
    data: { onHand: 10, reserved: 10, available: 0 },
    events: [reserved('order-2', 6)],
    state: { stock: { onHand: 10, reserved: { 'order-1': 4, 'order-2': 6 } } },
  });
  stocked.when('reserve', { order: 'order-2', quantity: 7 }).thenRejected('OUT_OF_STOCK');
  stocked.when('reserve', { order: 'order-1', quantity: 1 }).thenRejected('ALREADY_RESERVED');
});

test('a reservation ends in a sale or is given back', () => {
  const stocked = apple.given([restocked(10), reserved('order-1', 4)]);
  stocked.when('confirm', { order: 'order-1' }).thenDecided({
    data: { onHand: 6, reserved: 0, available: 6 },
    events: [{ name: 'stock_sold', data: { order: 'order-1', quantity: 4 } }],
    state: { stock: { onHand: 6, reserved: {} } },
  });
  stocked.when('unreserve', { order: 'order-1' }).thenDecided({
    data: { onHand: 10, reserved: 0, available: 10 },
    events: [{ name: 'stock_unreserved', data: { order: 'order-1', quantity: 4 } }],
    state: { stock: { onHand: 10, reserved: {} } },
  });
  for (const action of ['confirm', 'unreserve'] as const) {
    stocked.when(action, { order: 'order-2' }).thenRejected('NOT_RESERVED');
    stocked.when(action, { order: 'order-1' }, { sender: 'guest' }).thenRejected('CALLER_FORBIDDEN');
  }
});

test('a reservation under a name that every object inherits is one like others', () => {
  for (const order of ['constructor', '__proto__']) {
    apple
      .given([restocked(1)])
      .when('confirm', { order })
      .thenRejected('NOT_RESERVED');
    apple
      .given([restocked(1), reserved(order, 1)])
      .when('confirm', { order })
      .thenDecided({
        data: { onHand: 0, reserved: 0, available: 0 },
        events: [{ name: 'stock_sold', data: { order, quantity: 1 } }],
      });
  }
});
