import type { HistoryRecord } from '../../schemas/record.js';
import { type Colour, inColour } from '../../text/colour.js';
import { clip, printable } from '../../text/printable.js';
import { shortTime } from '../../text/short-time.js';

export interface LineStyle {
  /** Width of the terminal; data is cut to it. Undefined: a pipe, where nothing is ever cut. */
  readonly columns?: number | undefined;
  readonly colour?: boolean | undefined;
}

const COLOURS: Readonly<Record<string, Colour>> = {
  cmd: 'cyan',
  res: 'green',
  evt: 'yellow',
  step: 'blue',
  wake: 'blue',
  cancel: 'red',
  restart: 'yellow',
  signal: 'cyan',
  epoch: 'magenta',
  unknown: 'red',
};
/** No column grows beyond this; a longer value pushes its own line aside only. */
const WIDEST = 40;
/** A terminal with fewer columns gets short times and narrower columns, so that the data have room too. */
const WIDE = 120;
const WIDEST_IF_NARROW = 20;

const cells = (record: HistoryRecord, isNarrow: boolean): readonly string[] => {
  const { seq, time, kind, module, name, agent, sender, cause, subject } = record;
  const what = name === null ? subject : module === null ? name : `${module}.${name}`;
  const cause_ = cause === null ? '-' : `${cause}`;
  return [`${seq}`, isNarrow ? shortTime(time) : time, kind, what, agent ?? '-', sender ?? '-', cause_].map(
    printable,
  );
};

/** Columns that are numbers stand at the right. */
const NUMBERS: ReadonlySet<number> = new Set([0, 6]);
const FIRST_WIDTHS = [5, 24, 3, 16, 5, 8, 4] as const;
const TIME = 1;
const SHORT_TIME = 14;
const KIND = 2;

/**
 * Makes a function that writes one record as one line, `seq time kind module.name agent sender cause data`, with `-`
 * where a field does not apply. Columns widen as longer values come, so the lines of one run stay aligned. On a
 * terminal only the data are cut, and the time is short on a narrow one: `01-02 03:04:05`.
 */
export const lineFormatter = ({
  columns,
  colour = false,
}: LineStyle = {}): ((record: HistoryRecord) => string) => {
  const isNarrow = columns !== undefined && columns < WIDE;
  const widest = isNarrow ? WIDEST_IF_NARROW : WIDEST;
  const widths: number[] = [...FIRST_WIDTHS];
  if (isNarrow) widths[TIME] = SHORT_TIME;
  return (record) => {
    const padded = cells(record, isNarrow).map((cell, i) => {
      const width = Math.max(widths[i] ?? 0, Math.min(cell.length, widest));
      widths[i] = width;
      return NUMBERS.has(i) ? cell.padStart(width) : cell.padEnd(width);
    });
    const head = padded.join(' ');
    const data = printable(record.payload.shown());
    // A line without room for data still shows that it has some.
    const room = columns === undefined ? data.length : Math.max(1, columns - head.length - 1);
    const shown = clip(data, room);
    const kindColour = COLOURS[record.kind];
    if (colour && kindColour !== undefined) padded[KIND] = inColour(true, kindColour, padded[KIND] ?? '');
    return `${padded.join(' ')} ${shown}`.trimEnd();
  };
};
