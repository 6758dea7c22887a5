/** What one agent has been told. */
export interface CountTally {
  readonly count: number;
  /** Records that came behind a later one of their producer, or twice. */
  readonly late: number;
  /** The last number of each producer. */
  readonly last: readonly number[];
}

export const NONE: CountTally = { count: 0, late: 0, last: [] };

/** The tally after the record `n` of producer `p`. */
export const counted = ({ count, late, last }: CountTally, p: number, n: number): CountTally => {
  const before = last[p] ?? -1;
  const next = last.slice();
  // A hole in an array is null in JSON.
  while (next.length < p) next.push(-1);
  next[p] = Math.max(before, n);
  return { count: count + 1, late: n > before ? late : late + 1, last: next };
};
