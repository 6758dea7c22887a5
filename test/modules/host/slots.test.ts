import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Slots } from '../../../modules/host/semaphore.js';
import { Urgency } from '../../../modules/host/urgency.js';

test('never more than there are places, first come first served, and a place that is given is taken', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5 }),
      fc.array(fc.boolean(), { maxLength: 60 }),
      (places, steps) => {
        const slots = new Slots(places, new Urgency());
        const began: number[] = [];
        let asked = 0;
        let ended = 0;
        for (const isTake of steps) {
          if (isTake) {
            const i = asked++;
            slots.take('', () => began.push(i));
          } else if (ended < began.length) {
            ended += 1;
            slots.give();
          }
          assert.deepEqual(began, [...Array(Math.min(asked, ended + places)).keys()]);
        }
      },
    ),
  );
});
