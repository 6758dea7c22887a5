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
