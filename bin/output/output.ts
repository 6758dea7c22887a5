import { once } from 'node:events';
import { printable, printableText } from '../../text/printable.js';
import { writeJson } from '../../schemas/write-json.js';

/** What goes to stderr: a fault of the table, or the error of a result, whose codes are the module's own. */
export interface ErrorLine {
  readonly code: string;
  readonly message: string;
  readonly path?: string;
  readonly retryable: boolean;
}

/** Text that is printed as it stands: with colours of ours, where all that is foreign went through `printable`; or for a shell. */
export interface Verbatim {
  readonly verbatim: string;
}

export const verbatim = (text: string): Verbatim => ({ verbatim: text });

/** The one way of text to a terminal: what is foreign in it steers nothing there. */
const shown = (text: string | Verbatim): string =>
  typeof text === 'string' ? printableText(text) : text.verbatim;

/** Prints on stdout. A character that steers terminals is shown as `\u001b`, which is JSON too. */
export const print = (text: string | Verbatim): void => {
  process.stdout.write(`${shown(text)}\n`);
};

/** One line of a stream; resolves when more may be written, so that a slow reader slows the source down. */
export const printLine = async (text: string | Verbatim): Promise<void> => {
  if (!process.stdout.write(`${shown(text)}\n`)) await once(process.stdout, 'drain');
};

/** A word about the result, on stderr so that what is piped on stays that: as text, or as one JSON object. */
export const printNote = (text: string, json: boolean, object: object): void => {
  process.stderr.write(`${shown(json ? JSON.stringify(object) : text)}\n`);
};

/** One object on one line for programs, or with indentation for people. */
export const printJson = (value: unknown, forPeople = false): void => {
  print(writeJson(value, forPeople));
};

/**
 * `tallystick: CODE: message` on stderr, or `{"error":{…}}` on one line. Further lines of a message are indented: a module that
 * names its error cannot write a line that looks like one of ours.
 */
export const printError = ({ code, message, path, retryable }: ErrorLine, json: boolean): void => {
  const error = { code, message, ...(path === undefined ? {} : { path }), retryable };
  const text = json
    ? JSON.stringify({ error })
    : `tallystick: ${printable(code)}: ${message.replace(/\n(?! )/g, '\n  ')}`;
  process.stderr.write(`${shown(text)}\n`);
};
