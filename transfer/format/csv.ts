import type { HistoryLine } from '../../schemas/record.js';
import { printable } from '../../text/printable.js';
import type { FoundRecord } from '../../replay/history/read-history.js';
import type { ExportFormat } from './export-format.js';
import { textOf, toBase64 } from './payload-text.js';
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

/** A spreadsheet takes such a cell for a formula and runs it. A sender of commands could write one. */
const FORMULA = /^[=+\-@\t\r]/;
const NEEDS_QUOTES = /[",\r\n]/;

const cell = (text: string): string => {
  const harmless = FORMULA.test(text) ? `'${text}` : text;
  return NEEDS_QUOTES.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
};

const BASE64 = 'base64:';
/** Characters that no program expects in a cell of a table. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u0008\u000b\u000c\u000e-\u001f]/;

/** The payload unchanged, or `base64:…` if it is not text, or could be taken for base64. */
const cellOf = (data: Uint8Array): string => {
  const text = textOf(data);
  const isText = text !== undefined && !text.startsWith(BASE64) && !CONTROL.test(text);
  return isText ? text : `${BASE64}${toBase64(data)}`;
};

const line = ({ message, record }: FoundRecord): string => {
  const own = { time: formatStoredTime(message.nanos), data: cellOf(message.data) };
  const cells = COLUMNS.map((column) =>
    cell(column === 'time' || column === 'data' ? own[column] : printable(`${record[column] ?? ''}`)),
  );
  return `${cells.join(',')}\r\n`;
};

/** RFC 4180, for spreadsheets: the columns of history. It has no headers, so it cannot be imported. */
export const csv: ExportFormat = { head: () => `${COLUMNS.join(',')}\r\n`, line };
