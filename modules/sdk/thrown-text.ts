import { messageOf } from '../../text/thrown-message.js';
import { printableLines } from '../../text/printable.js';

/** A stack is for people: what is deeper than this has told them nothing yet. */
const MAX_STACK_LINES = 30;
const MAX_LINE_CHARACTERS = 400;
/** Errors can be the cause of each other, also in a circle. */
const MAX_CAUSES = 3;

const UNREADABLE = 'what cannot be read';

const causesOf = (thrown: unknown): readonly string[] => {
  const texts: string[] = [];
  for (let at = thrown; at instanceof Error && texts.length <= MAX_CAUSES; at = at.cause) {
    texts.push(String(at.stack ?? at.message));
  }
  return texts.length === 0 ? [`thrown: ${messageOf(thrown)}`] : texts;
};

/**
 * Where something was thrown: its stack and those of its causes, at most 31 lines of 400 characters, printable. For the
 * operator and never for a caller: it names files. Never throws.
 */
export const stackOf = (thrown: unknown): string => {
  try {
    return printableLines(causesOf(thrown).join('\ncaused by '), MAX_STACK_LINES, MAX_LINE_CHARACTERS);
  } catch {
    return UNREADABLE;
  }
};

/** The first place in a stack, ` (at decide file.ts:3:4)`, to stand behind a message; empty where there is none. */
export const thrownAt = (thrown: unknown): string => {
  const line = /^ {4}at .*$/m.exec(stackOf(thrown))?.[0];
  return line === undefined ? '' : ` (${line.trim()})`;
};
