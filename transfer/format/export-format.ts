import type { ExportHead } from '../../schemas/export.js';
import type { FoundRecord } from '../../replay/history/read-history.js';

/** The format of an export: text that is appended piece by piece. */
export interface ExportFormat {
  /** The text before the first record, with the end of its line. */
  readonly head: (log: ExportHead) => string;
  /** One record, with the end of its line. */
  readonly line: (found: FoundRecord, log: ExportHead) => string;
}

/** The last record of an export, if known: filters, a time and a limit leave it open. */
export const lastOf = ({ query, toSeq }: ExportHead): number | undefined =>
  Object.keys(query).every((name) => name === 'from' || name === 'to') ? (toSeq ?? undefined) : undefined;
