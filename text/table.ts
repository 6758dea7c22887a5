import { printable } from './printable.js';

const isNumber = (cell: string): boolean => /^[\d.,%-]+( [KMGT]?i?B)?$/.test(cell);

/** Columns under their heads, two spaces apart; numbers stand at the right. Without rows: the heads alone. */
export const formatTable = (heads: readonly string[], rows: readonly (readonly string[])[]): string => {
  const shownRows = rows.map((row) => row.map(printable));
  const columns = heads.map((head, i) => ({
    width: shownRows.reduce((width, row) => Math.max(width, row[i]?.length ?? 0), head.length),
    right: rows.length > 0 && shownRows.every((row) => isNumber(row[i] ?? '')),
  }));
  const line = (cells: readonly string[]): string =>
    columns
      .map(({ width, right }, i) =>
        right ? (cells[i] ?? '').padStart(width) : (cells[i] ?? '').padEnd(width),
      )
      .join('  ')
      .trimEnd();
  return [heads, ...shownRows].map(line).join('\n');
};
