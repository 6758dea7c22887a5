import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { LaterRefusals, REFUSED_AFTER_MS } from '../../../broker/serving/later-refusals.js';
import { waitFor } from '../../support/wait-for.js';

test('each refusal is sent once, in its order, and none before its time', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 500 }), async (count) => {
      const later = new LaterRefusals();
      const sent: number[] = [];
      const begun = performance.now();
      for (let i = 0; i < count; i++) {
        later.add(() => {
          // A timer may be a millisecond early by this clock.
          assert.ok(performance.now() - begun >= REFUSED_AFTER_MS - 2);
          sent.push(i);
        });
      }
      assert.deepEqual(sent, []);
      await waitFor('all refusals', () => sent.length === count);
      assert.deepEqual(sent, [...Array(count).keys()]);
    }),
    { numRuns: 3 },
  );
});

test('what waits to be refused is bounded: what is above it is refused at once', async () => {
  const later = new LaterRefusals(100);
  let sent = 0;
  for (let i = 0; i < 250; i++) later.add(() => (sent += 1));
  assert.equal(sent, 150);
  await waitFor('the others', () => sent === 250);
});
