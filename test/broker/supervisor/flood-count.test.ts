import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { FloodCount } from '../../../broker/supervisor/flood-count.js';

const MOST = 20;

test('a module is found that does more in a second than it may, and none that stays at that, whatever others do', () => {
  const acts = fc.array(
    fc.record({
      module: fc.constantFrom('a', 'b'),
      afterMs: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 400 })),
      weight: fc.integer({ min: 1, max: 5 }),
    }),
    { maxLength: 200 },
  );
  fc.assert(
    fc.property(acts, (all) => {
      let clock = 0;
      const floods = new FloodCount(MOST, () => clock);
      const done: { module: string; at: number; weight: number }[] = [];
      const since = (module: string, ms: number): number =>
        done.reduce(
          (sum, each) => (each.module === module && each.at > clock - ms ? sum + each.weight : sum),
          0,
        );
      for (const { module, afterMs, weight } of all) {
        clock += afterMs;
        done.push({ module, at: clock, weight });
        const isFlood = floods.isFlood(module, weight);
        // It counts in windows: what is above the limit in none of the last second is no flood.
        if (isFlood) assert.ok(since(module, 1_000) > MOST);
      }
      clock += 1_000;
      for (let i = 0; i < MOST; i++) assert.equal(floods.isFlood('c'), false);
      assert.equal(floods.isFlood('c'), true);
    }),
  );
});
