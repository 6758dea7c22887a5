/** One record that was seen in the log. */
export interface Mark {
  /** Number of the mark among all that were ever made; what decides how long it is kept. */
  readonly k: number;
  readonly seq: number;
  /** Of the record that stood there: see `digestOf`. */
  readonly digest: string;
}

/** Marks of each spacing that are kept. */
const DENSE = 16;

/** Of how many marks this one is the representative: the largest power of two that divides its number. */
const reach = (k: number): number => (k === 0 ? Number.POSITIVE_INFINITY : k & -k);

/**
 * Adds a mark and lets old ones go, so that they lie close together near the end of the log and ever farther apart
 * behind it: after a million there are some 150, and the first stays for ever.
 */
export const addMark = (marks: readonly Mark[], seq: number, digest: string): readonly Mark[] => {
  const k = (marks.at(-1)?.k ?? -1) + 1;
  return [...marks.filter((mark) => k - mark.k < DENSE * reach(mark.k)), { k, seq, digest }];
};
