import { once } from 'node:events';
import { printable, printableText } from '../../text/printable.js';
import { isErrorCode } from '../../schemas/error-table.js';
import { NEXT_STEP } from '../../schemas/next-steps.js';
import { writeJson } from '../../schemas/write-json.js';
import { asTyped } from './typed-program.js';

/** The error on stderr: a fault of the error table, or the error of a result, whose codes belong to the module. */
export interface ErrorLine {
  readonly code: string;
  readonly message: string;
  readonly path?: string;
  readonly retryable: boolean;
}

/**
 * Text that is printed unchanged: it has our colours and its foreign parts went through `printable`, or it is for a
 * shell.
 */
export interface Verbatim {
  readonly verbatim: string;
}

export const verbatim = (text: string): Verbatim => ({ verbatim: text });

/** The one way of text to a terminal: foreign characters cannot control the terminal. */
const shown = (text: string | Verbatim): string =>
  typeof text === 'string' ? printableText(text) : text.verbatim;

/** Prints on stdout. A character that controls terminals becomes `\u001b`, which is valid in JSON too. */
export const print = (text: string | Verbatim): void => {
  process.stdout.write(`${shown(text)}\n`);
};

/** One line of a stream. Resolves when more may be written, so a slow reader slows the source down. */
export const printLine = async (text: string | Verbatim): Promise<void> => {
  if (!process.stdout.write(`${shown(text)}\n`)) await once(process.stdout, 'drain');
};

/** One line of a stream. Resolves when the system has taken it: what is said of it after that holds. */
export const printWritten = (text: string): Promise<void> =>
  // An error of the output ends the process: see `whenUnwritten`.
  new Promise((resolve) => {
    process.stdout.write(`${shown(text)}\n`, (error) => {
      if (error === null || error === undefined) resolve();
    });
  });

/** A note about the result, on stderr, so that piped output stays clean: as text, or as one JSON object. */
export const printNote = (text: string, json: boolean, object: object): void => {
  process.stderr.write(`${shown(json ? JSON.stringify(object) : text)}\n`);
};

/** One object on one line for programs, or with indentation for people. */
export const printJson = (value: unknown, forPeople = false): void => {
  print(writeJson(value, forPeople));
};

/** The next step for a person, below the error. Only its author knows it for a code that a module made itself. */
export const nextStepLine = (code: string, isTerminal = process.stderr.isTTY): string =>
  isTerminal && isErrorCode(code) ? `\n  next: ${NEXT_STEP[code]}` : '';

/**
 * `tallystick: CODE: message` on stderr, or `{"error":{…}}` on one line. A terminal also gets the next step. Further
 * lines of a message are indented, so a module that chooses its error's text cannot forge a line of ours.
 */
export const printError = ({ code, message, path, retryable }: ErrorLine, json: boolean): void => {
  const error = { code, message, ...(path === undefined ? {} : { path }), retryable };
  const text = json
    ? JSON.stringify({ error })
    : `tallystick: ${printable(code)}: ${asTyped(`${message.replace(/\n(?! )/g, '\n  ')}${nextStepLine(code)}`)}`;
  process.stderr.write(`${shown(text)}\n`);
};
