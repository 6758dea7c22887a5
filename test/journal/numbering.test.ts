import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { numberingOf, numberOf, orderOf } from '../../journal/append/numbering.js';

/** Orders that wait, with holes between them, and the next one that is given. */
const waiting = fc
  .tuple(fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 30 }), fc.integer({ min: 1, max: 5 }))
  .map(([steps, behind]) => {
    let order = 0;
    const orders = steps.map((step) => (order += step));
    return { orders, next: order + behind };
  });

test('an epoch numbers what waits from 1 on, without a gap, and goes on with what comes', () => {
  fc.assert(
    fc.property(waiting, fc.nat(100), ({ orders, next }, later) => {
      const runs = numberingOf(orders, next);
      for (const [index, order] of orders.entries()) {
        assert.equal(numberOf(runs, order), index + 1);
        assert.equal(orderOf(runs, index + 1), order);
      }
      assert.equal(numberOf(runs, next + later), orders.length + 1 + later);
      assert.equal(orderOf(runs, orders.length + 1 + later), next + later);
    }),
  );
});

test('an order that was settled before the epoch has no number in it', () => {
  fc.assert(
    fc.property(waiting, ({ orders, next }) => {
      const runs = numberingOf(orders, next);
      for (let order = 1; order < next; order++) {
        assert.equal(numberOf(runs, order) !== undefined, orders.includes(order));
      }
    }),
  );
});
