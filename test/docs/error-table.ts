import { ERRORS } from '../../schemas/error-table.js';

const HEADS = ['code', 'status', 'service', 'exit', 'again', 'meaning'];

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

const table = (): string =>
  [
    row(HEADS),
    row(HEADS.map(() => '---')),
    ...Object.entries(ERRORS).map(([code, { status, service, exit, retryable, meaning }]) =>
      row([`\`${code}\``, status, String(service), String(exit), retryable ? 'yes' : 'no', meaning]),
    ),
  ].join('\n');

const BEGIN = '<!-- errors: written by test/docs/write-error-table.js from schemas/error-table.ts -->';
const END = '<!-- end of errors -->';

/** The document with the table as it must be, between its marks. */
export const withErrorTable = (document: string): string => {
  const [before, rest] = document.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`${BEGIN} or ${END} is missing`);
  return `${before}${BEGIN}\n\n${table()}\n\n${END}${after}`;
};
