import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { Allowance } from '../../../broker/serving/allowance.js';

it('I12 after the wait that it names, an allowance lets the amount pass, however often fractions were added', () => {
  const perSecond = fc.oneof(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 2_000_000_000 }));
  const steps = fc.array(
    fc.record({
      ms: fc.double({ min: 0, max: 400, noNaN: true }),
      share: fc.double({ min: 0, max: 2, noNaN: true }),
    }),
    { maxLength: 100 },
  );
  fc.assert(
    fc.property(perSecond, steps, (rate, all) => {
      let now = 0;
      const allowance = new Allowance(rate, now);
      for (const { ms, share } of all) {
        now += ms;
        const amount = Math.max(1, Math.round(rate * share));
        now += allowance.waitMs(amount, now);
        assert.equal(allowance.waitMs(amount, now), 0);
        allowance.take(amount);
      }
    }),
    { numRuns: 500 },
  );
});
