import { printable } from './printable.js';

const isNumber = (cell: string): boolean => /^[\d.,%-]+( [KMGT]?i?B)?$/.test(cell);

interface Column {
  readonly width: number;
  readonly right: boolean;
}

const GAP = 2;
/** A narrower column of text says nothing. */
const NARROWEST = 8;

/** Takes from the widest columns of text until the lines fit, or until none can give more. */
const fitted = (columns: readonly Column[], room: number): readonly Column[] => {
  const fit = [...columns];
  let width = fit.reduce((sum, column) => sum + column.width, GAP * (fit.length - 1));
  while (width > room) {
    const widths = fit.map((column) => (column.right ? 0 : column.width));
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

const clipped = (cell: string, width: number): string =>
  cell.length <= width ? cell : `${cell.slice(0, width - 1)}…`;

/**
 * Columns under their heads, two spaces apart; numbers stand at the right. Without rows: the heads alone. Where
 * `room` is given, in characters, long texts are cut to fit it, and each cut ends in `…`.
 */
export const formatTable = (
  heads: readonly string[],
  rows: readonly (readonly string[])[],
  room = Number.POSITIVE_INFINITY,
): string => {
  const shownRows = rows.map((row) => row.map(printable));
  const whole = heads.map((head, i) => ({
    width: shownRows.reduce((width, row) => Math.max(width, row[i]?.length ?? 0), head.length),
    right: rows.length > 0 && shownRows.every((row) => isNumber(row[i] ?? '')),
  }));
  const columns = fitted(whole, room);
  const line = (cells: readonly string[]): string =>
    columns
      .map(({ width, right }, i) => {
        const cell = clipped(cells[i] ?? '', width);
        return right ? cell.padStart(width) : cell.padEnd(width);
      })
      .join(' '.repeat(GAP))
      .trimEnd();
  return [heads, ...shownRows].map(line).join('\n');
};
