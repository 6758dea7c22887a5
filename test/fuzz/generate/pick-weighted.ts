import type { Seeded } from '../../support/seeded.js';

/** One of these, each as often as its weight says. */
export const pickWeighted = <T>(random: Seeded, all: readonly (readonly [number, T])[]): T => {
  let left = random.next() * all.reduce((sum, [weight]) => sum + weight, 0);
  for (const [weight, each] of all) {
    left -= weight;
    if (left < 0) return each;
  }
  return (all.at(-1) as readonly [number, T])[1];
};
