/**
 * Finds the parts of a JSON text in its bytes, so that they can be passed on unchanged. Parsing and writing would
 * turn `1.0` into `1` and 9007199254740993 into another number, and would drop duplicated keys.
 *
 * JSON.parse must accept the text; for other texts the positions mean nothing. Each scan is one loop without
 * recursion, so the depth of the text does not matter.
 */

/** A range of the bytes: the first one, and the one after the last. */
export interface Slice {
  readonly from: number;
  readonly to: number;
}

const [TAB, NEWLINE, RETURN, BLANK] = [9, 10, 13, 32];
const QUOTE = 34;
const COMMA = 44;
const COLON = 58;
const [OPEN_LIST, BACKSLASH, CLOSE_LIST] = [91, 92, 93];
const [OPEN_OBJECT, CLOSE_OBJECT] = [123, 125];

const decoder = new TextDecoder();

const isBlank = (byte: number | undefined): boolean =>
  byte === BLANK || byte === NEWLINE || byte === RETURN || byte === TAB;

/** The position of the next byte that is no blank. */
export const behindBlanks = (bytes: Uint8Array, from: number): number => {
  let at = from;
  while (isBlank(bytes[at])) at += 1;
  return at;
};

/** The position after the text whose first quote is at `from`. */
export const behindText = (bytes: Uint8Array, from: number): number => {
  let at = from + 1;
  while (at < bytes.length && bytes[at] !== QUOTE) at += bytes[at] === BACKSLASH ? 2 : 1;
  return Math.min(at + 1, bytes.length);
};

/** The position after the value that begins at `from`. */
export const behindValue = (bytes: Uint8Array, from: number): number => {
  let depth = 0;
  let at = from;
  while (at < bytes.length) {
    const byte = bytes[at];
    if (byte === QUOTE) {
      at = behindText(bytes, at);
      if (depth === 0) return at;
      continue;
    }
    if (byte === OPEN_OBJECT || byte === OPEN_LIST) depth += 1;
    else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
      if (depth === 0) return at;
      depth -= 1;
      if (depth === 0) return at + 1;
    } else if (depth === 0 && (byte === COMMA || isBlank(byte))) return at;
    at += 1;
  }
  return at;
};

/** The range of the value, without a byte order mark and surrounding blanks. */
export const rootOf = (bytes: Uint8Array): Slice => {
  const hasMark = bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf;
  const from = behindBlanks(bytes, hasMark ? 3 : 0);
  return { from, to: behindValue(bytes, from) };
};

/** The value of a string, from the positions of its quotes. */
export const textAt = (bytes: Uint8Array, { from, to }: Slice): string | undefined =>
  bytes[from] === QUOTE ? (JSON.parse(decoder.decode(bytes.subarray(from, to))) as string) : undefined;

/**
 * The members of an object with these names; undefined if the value is no object. The last of duplicated names
 * counts, as for JSON.parse. Names are compared after their escapes are read.
 */
export const membersAt = <Name extends string>(
  bytes: Uint8Array,
  { from }: Slice,
  names: readonly Name[],
): { readonly [N in Name]?: Slice } | undefined => {
  if (bytes[from] !== OPEN_OBJECT) return undefined;
  const found: { [N in Name]?: Slice } = {};
  let at = behindBlanks(bytes, from + 1);
  while (at < bytes.length && bytes[at] === QUOTE) {
    const nameTo = behindText(bytes, at);
    const name = textAt(bytes, { from: at, to: nameTo });
    at = behindBlanks(bytes, nameTo);
    if (bytes[at] !== COLON) return undefined;
    const valueFrom = behindBlanks(bytes, at + 1);
    const valueTo = behindValue(bytes, valueFrom);
    const wanted = names.find((each) => each === name);
    if (wanted !== undefined) found[wanted] = { from: valueFrom, to: valueTo };
    at = behindBlanks(bytes, valueTo);
    if (bytes[at] !== COMMA) break;
    at = behindBlanks(bytes, at + 1);
  }
  return found;
};

/** The items of a list; undefined for another value. */
export const itemsAt = (bytes: Uint8Array, { from }: Slice): readonly Slice[] | undefined => {
  if (bytes[from] !== OPEN_LIST) return undefined;
  const items: Slice[] = [];
  let at = behindBlanks(bytes, from + 1);
  while (at < bytes.length && bytes[at] !== CLOSE_LIST) {
    const to = behindValue(bytes, at);
    items.push({ from: at, to });
    at = behindBlanks(bytes, to);
    if (bytes[at] !== COMMA) break;
    at = behindBlanks(bytes, at + 1);
  }
  return items;
};
