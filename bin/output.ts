import { once } from 'node:events';

/** What goes to stderr: a fault of the table, or the error of a result, whose codes are the module's own. */
export interface ErrorLine {
  readonly code: string;
  readonly message: string;
  readonly path?: string;
  readonly retryable: boolean;
}

export const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

/** One line of a stream; resolves when more may be written, so that a slow reader slows the source down. */
export const printLine = async (text: string): Promise<void> => {
  if (!process.stdout.write(`${text}\n`)) await once(process.stdout, 'drain');
};

/** A word beside what was asked for, on stderr so that what is piped on stays that: as text, or as one JSON object. */
export const printNote = (text: string, json: boolean, object: object): void => {
  process.stderr.write(`${json ? JSON.stringify(object) : text}\n`);
};

/** One object on one line for programs, or with indentation for people. */
export const printJson = (value: unknown, forPeople = false): void => {
  print(JSON.stringify(value, null, forPeople ? 2 : 0));
};

/** `tallystick: CODE: message` on stderr, or `{"error":{…}}` on one line. */
export const printError = ({ code, message, path, retryable }: ErrorLine, json: boolean): void => {
  const error = { code, message, ...(path === undefined ? {} : { path }), retryable };
  process.stderr.write(json ? `${JSON.stringify({ error })}\n` : `tallystick: ${code}: ${message}\n`);
};

const isNumber = (cell: string): boolean => /^[\d.,%-]+( [KMGT]?i?B)?$/.test(cell);

/** Columns under their heads, two spaces apart; numbers stand at the right. Without rows: the heads alone. */
export const formatTable = (heads: readonly string[], rows: readonly (readonly string[])[]): string => {
  const columns = heads.map((head, i) => ({
    width: Math.max(head.length, ...rows.map((row) => row[i]?.length ?? 0)),
    right: rows.length > 0 && rows.every((row) => isNumber(row[i] ?? '')),
  }));
  const line = (cells: readonly string[]): string =>
    columns
      .map(({ width, right }, i) =>
        right ? (cells[i] ?? '').padStart(width) : (cells[i] ?? '').padEnd(width),
      )
      .join('  ')
      .trimEnd();
  return [heads, ...rows].map(line).join('\n');
};

/** `| head` closes the pipe when it has seen enough, which is no error. A broker stays up without its reader. */
export const onBrokenPipe = (then: 'end' | 'go on'): void => {
  for (const stream of [process.stdout, process.stderr]) {
    stream.removeAllListeners('error');
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EPIPE') throw error;
      if (then === 'end') process.exit(process.exitCode ?? 0);
    });
  }
};
