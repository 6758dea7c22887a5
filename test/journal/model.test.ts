import { describe, test } from 'node:test';
import fc from 'fast-check';
import { operations } from './model/operations.js';
import { Run } from './model/run.js';
import { World } from './model/world.js';

const RUNS = 60;

describe('the journal under random faults', () => {
  for (const durability of ['fsync', 'os'] as const) {
    test(`I1 I2 I3 I4 I5 I8 hold after each of ${RUNS} random runs (${durability})`, async () => {
      await using world = await World.open(durability);
      await fc.assert(
        fc.asyncProperty(operations, (each) => new Run(world).perform(each)),
        { numRuns: RUNS, endOnFailure: true },
      );
    });
  }
});
