/** Reads a range of sequences in order, and passes on what is meant. */
export type ReadSequences<R> = (fromSeq: number, toSeq: number) => AsyncIterable<R>;

export interface NewestOptions {
  /** Nothing is looked for below. */
  readonly first: number;
  readonly last: number;
  readonly count: number;
  /** How many sequences to read at first. */
  readonly window: number;
}

/** Each window is so many times the one before: few of them even where what is meant is rare. */
const GROWTH = 4;

/** The last records of a range that are meant, in order: windows are read from the end until there are enough. */
export const newest = async <R>(
  read: ReadSequences<R>,
  { first, last, count, window }: NewestOptions,
): Promise<readonly R[]> => {
  const windows: (readonly R[])[] = [];
  let missing = count;
  let size = window;
  for (let to = last; missing > 0 && to >= first; size *= GROWTH) {
    const from = Math.max(first, to - size + 1);
    const found: R[] = [];
    for await (const record of read(from, to)) {
      found.push(record);
      // Of a window that has more than are wanted, no more than twice as many are held.
      if (found.length >= 2 * missing) found.splice(0, found.length - missing);
    }
    windows.unshift(found.slice(-missing));
    missing -= Math.min(missing, found.length);
    to = from - 1;
  }
  return windows.flat();
};
