import { type Fault, FaultError, fault } from '../../schemas/errors.js';

/** Characters shown around the place, so that a long expression stays on one line of a terminal. */
const AROUND = 60;

/** EXPRESSION_INVALID: what is wrong, at which column, and the text with a caret below that place. */
export const problemAt = (text: string, at: number, what: string): Fault => {
  const from = Math.max(0, at - AROUND);
  const shown = text.slice(from, at + AROUND).replace(/\s/g, ' ');
  const start = from > 0 ? '…' : '';
  const end = at + AROUND < text.length ? '…' : '';
  const caret = `${' '.repeat(start.length + at - from)}^`;
  return fault('EXPRESSION_INVALID', `column ${at + 1}: ${what}\n  ${start}${shown}${end}\n  ${caret}`);
};

export const refuse = (text: string, at: number, what: string): never => {
  throw new FaultError(problemAt(text, at, what));
};
