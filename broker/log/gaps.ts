/** Sequences, first and last, of which the log has no record that can be read. */
export type Gap = readonly [from: number, to: number];

/** The parts of gaps that lie in none of the others. Both are in order, and in neither list two overlap. */
export const gapsWithout = (gaps: readonly Gap[], others: readonly Gap[]): readonly Gap[] =>
  gaps.flatMap(([from, to]) => {
    const left: Gap[] = [];
    let at = from;
    for (const [first, last] of others) {
      if (last < at || first > to) continue;
      if (first > at) left.push([at, first - 1]);
      at = last + 1;
    }
    if (at <= to) left.push([at, to]);
    return left;
  });

/** Both, in order; none of one overlaps one of the other. */
export const merged = (gaps: readonly Gap[], others: readonly Gap[]): readonly Gap[] =>
  [...gaps, ...others].sort(([a], [b]) => a - b);

/** How many sequences they are. */
export const sizeOf = (gaps: readonly Gap[]): number =>
  gaps.reduce((sum, [from, to]) => sum + to - from + 1, 0);

const SHOWN = 20;

const shown = ([from, to]: Gap): string => (from === to ? `${from}` : `${from} to ${to}`);

/** `44, 129 to 140`; of many, the first. */
export const inWords = (gaps: readonly Gap[]): string => {
  const rest = gaps.length - SHOWN;
  return `${gaps.slice(0, SHOWN).map(shown).join(', ')}${rest > 0 ? ` and ${rest} more places` : ''}`;
};
