import type { HistoryRecord, WholeMessage } from '../../schemas/record.js';
import type { ExportHead } from '../../schemas/export.js';

/** How an export is written: as text that is appended piece by piece. */
export interface ExportFormat {
  /** What comes before the first record; with the end of its line. */
  readonly head: (log: ExportHead) => string;
  /** One record, with the end of its line. */
  readonly line: (message: WholeMessage, record: HistoryRecord, log: ExportHead) => string;
}
