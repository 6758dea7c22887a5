import fc from 'fast-check';
import type { Durability } from '../../../schemas/log.js';
import { operations } from './operations.js';
import { Run } from './run.js';
import { World } from './world.js';

/** Throws at the first random run that does not hold, with the seed to repeat it by. */
export const holdsInRandomRuns = async (durability: Durability, numRuns: number): Promise<void> => {
  await using world = await World.open(durability);
  await fc.assert(
    fc.asyncProperty(operations, (each) => new Run(world).perform(each)),
    { numRuns, endOnFailure: true },
  );
};
