/**
 * The largest values of the buckets in which calls are counted by how long their callers waited, milliseconds. A call
 * above the last one is in one more bucket.
 */
export const CALL_BUCKETS_MS = [
  0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 10_000, 30_000,
] as const;

/** The bucket of a duration, milliseconds: a place in the counts, from 0. */
export const callBucket = (ms: number): number => {
  let place = 0;
  for (const most of CALL_BUCKETS_MS) {
    if (ms <= most) return place;
    place += 1;
  }
  return place;
};
