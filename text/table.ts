import { clip, printable } from './printable.js';
import { shortTime, isTime } from './short-time.js';

const isNumber = (cell: string): boolean => /^[\d.,%-]+( [KMGT]?i?B)?$/.test(cell);

interface Column {
  readonly width: number;
  /** Numbers stand at the right. */
  readonly right: boolean;
  /** It is never cut. */
  readonly whole: boolean;
}

const GAP = 2;
/** A narrower column of text says nothing. */
const NARROWEST = 8;

type Rows = readonly (readonly string[])[];

const widthOf = (columns: readonly Column[]): number =>
  columns.reduce((sum, { width }) => sum + width, GAP * (columns.length - 1));

const measured = (heads: readonly string[], rows: Rows, keys: ReadonlySet<number>): readonly Column[] =>
  heads.map((head, i) => {
    const cells = rows.map((row) => row[i] ?? '');
    const isOf = (test: (cell: string) => boolean): boolean => cells.length > 0 && cells.every(test);
    return {
      width: cells.reduce((width, cell) => Math.max(width, cell.length), head.length),
      right: isOf(isNumber),
      whole: keys.has(i) || isOf((cell) => isNumber(cell) || isTime(cell)),
    };
  });

/** Takes from the widest columns of text until the lines fit, or until none can give more. */
const fitted = (columns: readonly Column[], room: number): readonly Column[] => {
  const fit = [...columns];
  let width = widthOf(fit);
  while (width > room) {
    const widths = fit.map((column) => (column.whole ? 0 : column.width));
    const most = Math.max(...widths);
    const at = widths.indexOf(most);
    const column = fit[at];
    if (column === undefined || most <= NARROWEST) break;
    const next = Math.max(NARROWEST, ...widths.filter((one) => one < most));
    const narrower = Math.max(next, most - (width - room));
    const taken = most - Math.min(narrower, most - 1);
    fit[at] = { ...column, width: most - taken };
    width -= taken;
  }
  return fit;
};

export interface TableWidth {
  /** In characters. */
  readonly room?: number | undefined;
  /** Columns that are never cut. */
  readonly keys?: ReadonlySet<number>;
  /** Columns that are left out, in this order, if the lines are still too wide. */
  readonly spare?: readonly number[];
}

/**
 * Columns under their heads, two spaces apart; numbers stand at the right. Without rows: the heads alone. If `room` is
 * given, the lines are made to fit it: times become short, then long texts are cut, and each cut ends in `…`, then
 * spare columns are left out. Numbers, times and keys are never cut, so a line with long keys may be too wide.
 */
export const formatTable = (
  heads: readonly string[],
  rows: Rows,
  { room = Number.POSITIVE_INFINITY, keys = new Set(), spare = [] }: TableWidth = {},
): string => {
  const full = rows.map((row) => row.map(printable));
  const isTooWide = widthOf(measured(heads, full, keys)) > room;
  const cells = isTooWide
    ? full.map((row) => row.map((cell, i) => (keys.has(i) ? cell : shortTime(cell))))
    : full;
  const all = measured(heads, cells, keys);
  let shown = heads.map((_, i) => i);
  const asFitted = (): readonly Column[] =>
    fitted(
      shown.flatMap((i) => all[i] ?? []),
      room,
    );
  for (const left of spare) if (widthOf(asFitted()) > room) shown = shown.filter((i) => i !== left);
  const columns = asFitted();
  const line = (row: readonly string[]): string =>
    columns
      .map(({ width, right }, at) => {
        const cell = clip(row[shown[at] ?? 0] ?? '', width);
        return right ? cell.padStart(width) : cell.padEnd(width);
      })
      .join(' '.repeat(GAP))
      .trimEnd();
  return [heads, ...cells].map(line).join('\n');
};
