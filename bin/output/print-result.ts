import { layOut } from '../../schemas/json-layout.js';
import type { Result } from '../../schemas/result.js';
import { EXIT, type ExitCode } from './exit.js';
import { type ErrorLine, print, printError } from './output.js';

interface Shown {
  readonly result: Result;
  /** The result as it came: JavaScript may not be able to hold a number of it. */
  readonly text: string;
}

/** Prints the result of a command. `worded`: its error, for people. */
export const printResult = (
  { result, text }: Shown,
  isJson: boolean,
  worded: (error: ErrorLine) => ErrorLine = (error) => error,
): ExitCode => {
  print(layOut(text, !isJson));
  if (result.status === 'ok') return EXIT.done;
  // A program gets the answer once, with everything in it.
  if (!isJson) printError(worded(result.error), false);
  return EXIT.no;
};
