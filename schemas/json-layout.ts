const [QUOTE, COMMA, COLON, BACKSLASH] = [34, 44, 58, 92];
const [OPEN_LIST, CLOSE_LIST] = [91, 93];
const [OPEN_OBJECT, CLOSE_OBJECT] = [123, 125];
const BLANK = 32;

const INDENT = '  ';
/** Deeper than this, a line would be more blanks than text, so it is written without blanks. */
const MAX_DEPTH = 100;

/** The position after the text whose first quote is at `from`. */
const behindText = (text: string, from: number): number => {
  let at = from + 1;
  while (at < text.length && text.charCodeAt(at) !== QUOTE) at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
  return at + 1;
};

const behindWord = (text: string, from: number): number => {
  let at = from;
  while (at < text.length && !',:[]{} \t\n\r'.includes(text[at] as string)) at += 1;
  return at;
};

/** The parts of a JSON text: signs, strings, numbers and words. */
const partsOf = (text: string): readonly string[] => {
  const parts: string[] = [];
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at);
    if (code <= BLANK) {
      at += 1;
      continue;
    }
    const isSign =
      code === COMMA ||
      code === COLON ||
      code === OPEN_LIST ||
      code === CLOSE_LIST ||
      code === OPEN_OBJECT ||
      code === CLOSE_OBJECT;
    const to = isSign
      ? at + 1
      : code === QUOTE
        ? behindText(text, at)
        : Math.max(at + 1, behindWord(text, at));
    parts.push(text.slice(at, to));
    at = to;
  }
  return parts;
};

/** The text without blanks between its parts; most payloads have none. */
const compact = (text: string): string => {
  let out = '';
  let from = 0;
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at);
    if (code === QUOTE) at = behindText(text, at);
    else if (code > BLANK) at += 1;
    else {
      out += text.slice(from, at);
      while (at < text.length && text.charCodeAt(at) <= BLANK) at += 1;
      from = at;
    }
  }
  return from === 0 ? text : out + text.slice(from);
};

const isOpening = (part: string): boolean => part === '{' || part === '[';
const isClosing = (part: string): boolean => part === '}' || part === ']';

const depthOf = (parts: readonly string[]): number => {
  let [depth, deepest] = [0, 0];
  for (const part of parts) {
    if (isOpening(part)) depth += 1;
    else if (isClosing(part)) depth -= 1;
    deepest = Math.max(deepest, depth);
  }
  return deepest;
};

/**
 * A valid JSON text with other blanks: none, or on lines as `JSON.stringify(value, undefined, 2)` sets them. Numbers
 * and strings stay as they are written, so no number changes.
 */
export const layOut = (text: string, onLines: boolean): string => {
  if (!onLines) return compact(text);
  const parts = partsOf(text);
  if (depthOf(parts) > MAX_DEPTH) return compact(text);
  let out = '';
  let depth = 0;
  for (const [index, part] of parts.entries()) {
    const isEmpty = isClosing(part) && isOpening(parts[index - 1] ?? '');
    if (isClosing(part)) {
      depth -= 1;
      if (!isEmpty) out += `\n${INDENT.repeat(depth)}`;
    }
    out += part;
    if (isOpening(part)) depth += 1;
    const next = parts[index + 1] ?? '';
    if (part === ':') out += ' ';
    else if (part === ',' || (isOpening(part) && !isClosing(next))) out += `\n${INDENT.repeat(depth)}`;
  }
  return out;
};
