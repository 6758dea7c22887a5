import type { HistoryLine } from '../../schemas/record.js';
import type { Found } from '../history/history.js';
import type { ExportFormat } from './export-format.js';
import { toBase64 } from './payload.js';
import { formatStoredTime } from './stored-time.js';

const COLUMNS = [
  'seq',
  'time',
  'kind',
  'subject',
  'module',
  'name',
  'agent',
  'sender',
  'id',
  'cause',
  'conversation',
  'data',
] as const satisfies readonly (keyof HistoryLine)[];

/** A spreadsheet takes a cell that begins so for a formula, and runs it: whoever may send commands could write one. */
const FORMULA = /^[=+\-@\t\r]/;
const NEEDS_QUOTES = /[",\r\n]/;

const cell = (text: string): string => {
  const harmless = FORMULA.test(text) ? `'${text}` : text;
  return NEEDS_QUOTES.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
};

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The payload as it is, or `base64:…` where it is no text. */
const textOf = (data: Uint8Array): string => {
  try {
    return decoder.decode(data);
  } catch {
    return `base64:${toBase64(data)}`;
  }
};

const line = ({ message, record }: Found): string => {
  const own = { time: formatStoredTime(message.nanos), data: textOf(message.data) };
  const cells = COLUMNS.map((column) =>
    cell(column === 'time' || column === 'data' ? own[column] : `${record[column] ?? ''}`),
  );
  return `${cells.join(',')}\r\n`;
};

/** RFC 4180, for spreadsheets: the columns of history. Headers are left out; it cannot be imported. */
export const csv: ExportFormat = { head: () => `${COLUMNS.join(',')}\r\n`, line };
