import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { OwnerRing } from '../../../system/async/owner-ring.js';

const owner = fc.constantFrom('a', 'b', 'c', 'd', 'e');
/** Arrivals come in crowds, so that one owner has far more than the others. */
const arrivals = fc
  .array(fc.tuple(owner, fc.integer({ min: 1, max: 40 })), { minLength: 1, maxLength: 10 })
  .map((crowds) => crowds.flatMap(([name, count]) => Array.from({ length: count }, () => name)));
const step = fc.oneof(arrivals, fc.integer({ min: 1, max: 60 }));

interface Item {
  readonly owner: string;
  readonly number: number;
}

test('I12 no owner waits for more than one turn of each other one; none is left out or taken twice, each has its order', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const ring = new OwnerRing<Item>();
      const waiting = new Map<string, Item[]>();
      /** Turns of others since an owner that waits had one, or began to wait. */
      const passed = new Map<string, Map<string, number>>();
      let number = 0;
      const take = (): void => {
        const item = ring.take();
        // Work is taken whenever there is any.
        assert.equal(item === undefined, waiting.size === 0);
        if (item === undefined) return;
        const line = waiting.get(item.owner) as Item[];
        assert.equal(item, line.shift());
        if (line.length === 0) waiting.delete(item.owner);
        passed.set(item.owner, new Map());
        for (const other of waiting.keys()) {
          if (other === item.owner) continue;
          const turns = passed.get(other) as Map<string, number>;
          turns.set(item.owner, (turns.get(item.owner) ?? 0) + 1);
          assert.ok((turns.get(item.owner) as number) <= 1, `${other} waits for ${item.owner}`);
        }
      };
      for (const one of [...steps, 100_000]) {
        if (typeof one !== 'number') {
          for (const name of one) {
            const item = { owner: name, number: number++ };
            if (!waiting.has(name)) passed.set(name, new Map());
            waiting.set(name, [...(waiting.get(name) ?? []), item]);
            ring.add(name, item);
          }
        } else for (let i = 0; i < one && waiting.size > 0; i++) take();
        assert.equal(ring.length, [...waiting.values()].flat().length);
      }
      take();
    }),
    { numRuns: 100 },
  );
});

test('what is taken out of turn, and what is cleared, is gone from the turns, and all else is still there in its order', () => {
  const all = fc.array(fc.tuple(owner, fc.boolean()), { maxLength: 60 });
  fc.assert(
    fc.property(all, (items) => {
      const ring = new OwnerRing<{ name: string; isMeant: boolean; i: number }>();
      for (const [i, [name, isMeant]] of items.entries()) ring.add(name, { name, isMeant, i });
      const meant: number[] = [];
      for (let next = ring.takeFirst(({ isMeant }) => isMeant); next !== undefined; ) {
        meant.push(next.i);
        next = ring.takeFirst(({ isMeant }) => isMeant);
      }
      const numbers = (is: boolean): number[] => items.flatMap(([, each], i) => (each === is ? [i] : []));
      assert.deepEqual(
        meant.sort((a, b) => a - b),
        numbers(true),
      );
      const left = ring.clear();
      assert.deepEqual(
        left.map(({ i }) => i).sort((a, b) => a - b),
        numbers(false),
      );
      for (const name of ['a', 'b', 'c', 'd', 'e']) {
        const own = left.filter((each) => each.name === name).map(({ i }) => i);
        assert.deepEqual(
          own,
          [...own].sort((a, b) => a - b),
        );
        assert.equal(ring.has(name), false);
      }
      assert.deepEqual([ring.length, ring.take()], [0, undefined]);
    }),
  );
});
