import { formatTable } from '../../text/table.js';
import { terminal } from '../output/terminal.js';

/** The columns of a table that count more, or less, than others. */
export interface Weights<Head extends string> {
  /** What you type into the next command. It is never cut. */
  readonly keys: readonly Head[];
  /** A narrow terminal leaves these out, in this order, if it must. */
  readonly spare?: readonly Head[];
}

/** A table for standard output: on a terminal its lines fit the width, in a pipe they are whole. */
export const fittedTable = <Head extends string>(
  heads: readonly Head[],
  rows: readonly (readonly string[])[],
  { keys, spare = [] }: Weights<NoInfer<Head>>,
  columns = terminal().columns,
): string => {
  const at = (names: readonly Head[]): readonly number[] => names.map((name) => heads.indexOf(name));
  return formatTable(heads, rows, { room: columns, keys: new Set(at(keys)), spare: at(spare) });
};
