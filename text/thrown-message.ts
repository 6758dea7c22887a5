import { clip, printable } from './printable.js';

const MAX_CHARACTERS = 400;

const UNREADABLE = 'a value that cannot be read';

const PLAIN: ReadonlySet<string> = new Set(['Object', 'Array']);

/** What `Object.prototype.toString` says: `[object Map]`, also of an Error of another realm. */
const kindOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);

const shownObject = (value: object): string => {
  const kind = kindOf(value);
  try {
    const json = JSON.stringify(value) ?? '{}';
    return PLAIN.has(kind) ? json : `${kind} ${json}`;
  } catch {
    // A circle, a BigInt, or a getter that throws.
    return `an object of the kind ${kind}`;
  }
};

/** As code would write it, in one line. */
const shown = (value: unknown): string => {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return `function ${value.name}`;
  return typeof value === 'object' && value !== null ? shownObject(value) : String(value);
};

/** The message of whatever was thrown; code can throw any value. Never empty. Never throws. */
export const messageOf = (thrown: unknown): string => {
  try {
    if (!(thrown instanceof Error) && kindOf(thrown) !== 'Error')
      return `${clip(printable(shown(thrown)), MAX_CHARACTERS)}, which is no Error`;
    const { name, message } = thrown as Error;
    return String(message) === '' ? `${String(name)} without a message` : String(message);
  } catch {
    return UNREADABLE;
  }
};
