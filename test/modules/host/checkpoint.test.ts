import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Checkpoint } from '../../../modules/host/checkpoint.js';

test('what is acknowledged is the last command with nothing unfinished before it, and no command twice', () => {
  // Commands are delivered in order; `order` says in which order they finish, a delivery or a finish a step.
  const orders = fc
    .integer({ min: 1, max: 60 })
    .chain((n) => fc.shuffledSubarray([...Array(n).keys()], { minLength: n }));
  fc.assert(
    fc.property(orders, fc.integer({ min: 1, max: 7 }), (order, every) => {
      const checkpoint = new Checkpoint();
      for (const i of [...order.keys()]) checkpoint.delivered(100 + i);
      const finished = new Set<number>();
      let acknowledged = -1;
      for (const [step, i] of order.entries()) {
        checkpoint.finished(100 + i);
        finished.add(i);
        if (step % every !== 0 && step !== order.length - 1) continue;
        let floor = -1;
        while (finished.has(floor + 1)) floor += 1;
        const ack = checkpoint.advance();
        const expected = floor === acknowledged ? undefined : { seq: 100 + floor, delivered: floor + 1 };
        assert.deepEqual(ack, expected);
        acknowledged = floor;
        assert.equal(checkpoint.unfinished, order.length - 1 - floor);
        assert.equal(checkpoint.open, order.length - finished.size);
      }
      assert.equal(acknowledged, order.length - 1);
      assert.equal(checkpoint.advance(), undefined);
    }),
  );
});

test('it forgets what is done, also after very many commands', () => {
  const checkpoint = new Checkpoint();
  for (let seq = 1; seq <= 10_000; seq++) {
    checkpoint.delivered(seq);
    checkpoint.finished(seq);
    assert.deepEqual(checkpoint.advance(), { seq, delivered: seq });
    assert.equal(checkpoint.unfinished, 0);
  }
});
