import type { HistoryRecord } from '../../schemas/record.js';

/** The widths of the columns are those of so many records, or of records with so many bytes. */
const AHEAD = { records: 100, bytes: 1024 * 1024 };

/**
 * The lines of records, in order, and what `records` returns. The first records are read before the first line is
 * yielded, so that columns which widen with longer values are wide from the first line on. If reading fails, the lines
 * of all records that were read come first.
 */
export async function* alignedLines<Line, End>(
  records: AsyncGenerator<HistoryRecord, End>,
  line: (record: HistoryRecord) => Line,
): AsyncGenerator<Line, End> {
  const first: HistoryRecord[] = [];
  let bytes = 0;
  let end: IteratorReturnResult<End> | undefined;
  try {
    while (end === undefined && first.length < AHEAD.records && bytes < AHEAD.bytes) {
      const step = await records.next();
      if (step.done === true) end = step;
      else {
        line(step.value);
        first.push(step.value);
        bytes += step.value.payload.bytes.length;
      }
    }
  } finally {
    for (const record of first) yield line(record);
  }
  while (end === undefined) {
    const step = await records.next();
    if (step.done === true) end = step;
    else yield line(step.value);
  }
  return end.value;
}
