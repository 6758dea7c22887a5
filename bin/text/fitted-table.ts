import { formatTable } from '../../text/table.js';
import { terminal } from '../output/terminal.js';

/** A table for standard output: on a terminal its lines fit the width, in a pipe they are whole. */
export const fittedTable = (heads: readonly string[], rows: readonly (readonly string[])[]): string =>
  formatTable(heads, rows, terminal().columns);
