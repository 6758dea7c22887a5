import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { timeText } from '../../../store/snapshots/time-text.js';

const LAST_MS = 8.64e15;

describe('the text of a time', () => {
  it('is what toISOString gives, at any time', () => {
    const anyTime = fc.oneof(
      fc.integer({ min: 0, max: 4_102_444_800_000 }),
      fc.integer({ min: -LAST_MS, max: LAST_MS }),
      fc.double({ min: -1e9, max: 1e12, noNaN: true }),
      fc.constantFrom(0, -1, 951_868_799_999, 951_868_800_000, -LAST_MS, LAST_MS),
    );
    fc.assert(
      fc.property(anyTime, (timeMs) => assert.equal(timeText(timeMs), new Date(timeMs).toISOString())),
      { numRuns: 5_000 },
    );
  });

  it('is none for what is no time', () => {
    for (const timeMs of [Number.NaN, Number.POSITIVE_INFINITY, 2 * LAST_MS])
      assert.throws(() => timeText(timeMs), RangeError);
  });
});
