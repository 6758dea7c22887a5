/**
 * Numbers from `from` to `to`, both of them too; `seq` and `timeMs` of the record that showed that they are left out.
 */
export interface NumberRange {
  readonly from: number;
  readonly to: number;
  readonly seq: number;
  readonly timeMs: number;
}

export type Ranges = readonly NumberRange[];

/** The ranges without a number. */
export const rangesWithout = (ranges: Ranges, n: number): Ranges =>
  ranges.flatMap((range) => {
    if (n < range.from || n > range.to) return [range];
    return [
      ...(n > range.from ? [{ ...range, to: n - 1 }] : []),
      ...(n < range.to ? [{ ...range, from: n + 1 }] : []),
    ];
  });

export const includes = (ranges: Ranges, n: number): boolean =>
  ranges.some(({ from, to }) => from <= n && n <= to);

export const rangeText = ({ from, to }: Pick<NumberRange, 'from' | 'to'>): string =>
  from === to ? `number ${from}` : `numbers ${from} to ${to}`;
