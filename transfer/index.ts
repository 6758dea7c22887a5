/** Writing records of the log to files, and reading them back. */
export {
  EXPORT_FORMATS,
  type ExportFormatName,
  type ExportOptions,
  type ExportQuery,
  exportLog,
} from './export/export-log.js';
export { type ReadExportOptions, readExport } from './import/read-export.js';
export { type Written, writeFileOfLines, writeLines } from './export/write-lines.js';

/** The types that the signatures above need, for a program that names them. */
export type { ModuleNames, Selection } from '../journal/read/subject-filters.js';
export type { Patience } from '../replay/history/history-places.js';
export type { HistoryQuery } from '../replay/history/query.js';
export type { FoundRecord } from '../replay/history/read-history.js';
export type { ExportHead, ExportHeadSchema } from '../schemas/export.js';
export type { PAYLOAD_FORMS, Payload, PayloadForm } from '../schemas/payload.js';
export type {
  HistoryLine,
  HistoryRecord,
  HistoryRecordSchema,
  RawRecord,
  StoredMessage,
  WholeMessage,
} from '../schemas/record.js';
export type { CommandSubject, LogSubject, RecordKind } from '../schemas/subjects.js';
export type { ExportFormat } from './format/export-format.js';
