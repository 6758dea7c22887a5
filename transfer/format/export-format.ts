import type { ExportHead } from '../../schemas/export.js';
import type { Found } from '../../replay/history/read-history.js';

/** How an export is written: as text that is appended piece by piece. */
export interface ExportFormat {
  /** What comes before the first record; with the end of its line. */
  readonly head: (log: ExportHead) => string;
  /** One record, with the end of its line. */
  readonly line: (found: Found, log: ExportHead) => string;
}

/** The last record that an export is to have, where that is known: filters, a time and a limit leave it open. */
export const lastOf = ({ query, toSeq }: ExportHead): number | undefined =>
  Object.keys(query).every((name) => name === 'from' || name === 'to') ? (toSeq ?? undefined) : undefined;
