const [QUOTE, BACKSLASH, COMMA, COLON] = [34, 92, 44, 58];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [91, 93, 123, 125];
const [MINUS, PLUS, DOT, ZERO, NINE, SMALL_E, LARGE_E] = [45, 43, 46, 48, 57, 101, 69];
const FIRST_PRINTED = 32;
const LAST_ASCII = 126;
/** One bit each: whether the level is an object. */
const MOST_LEVELS = 30;

const NOT = -1;

/** What may stand behind a backslash, but for `u`. */
const ESCAPED = new Uint8Array(128);
for (const sign of '"\\/bfnrt') ESCAPED[sign.charCodeAt(0)] = 1;

const WORDS = ['true', 'false', 'null'].map((word) => Array.from(word, (sign) => sign.charCodeAt(0)));

/** The position behind a string whose first quote is at `from`. */
const behindString = (bytes: Uint8Array, from: number): number => {
  for (let at = from + 1; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    if (byte === QUOTE) return at + 1;
    if (byte === BACKSLASH) {
      at += 1;
      if (ESCAPED[bytes[at] ?? 0] !== 1) return NOT;
    } else if (byte < FIRST_PRINTED || byte > LAST_ASCII) return NOT;
  }
  return NOT;
};

const behindDigits = (bytes: Uint8Array, from: number): number => {
  let at = from;
  while (at < bytes.length && (bytes[at] as number) >= ZERO && (bytes[at] as number) <= NINE) at += 1;
  return at === from ? NOT : at;
};

const behindNumber = (bytes: Uint8Array, from: number): number => {
  const first = bytes[from] === MINUS ? from + 1 : from;
  let at = bytes[first] === ZERO ? first + 1 : behindDigits(bytes, first);
  if (at !== NOT && bytes[at] === DOT) at = behindDigits(bytes, at + 1);
  if (at === NOT || (bytes[at] !== SMALL_E && bytes[at] !== LARGE_E)) return at;
  const sign = bytes[at + 1];
  return behindDigits(bytes, sign === PLUS || sign === MINUS ? at + 2 : at + 1);
};

const behindWord = (bytes: Uint8Array, from: number): number => {
  for (const word of WORDS) {
    let length = 0;
    while (length < word.length && bytes[from + length] === word[length]) length += 1;
    if (length === word.length) return from + length;
  }
  return NOT;
};

const behindScalar = (bytes: Uint8Array, from: number): number => {
  const byte = bytes[from] ?? 0;
  if (byte === QUOTE) return behindString(bytes, from);
  return byte === MINUS || (byte >= ZERO && byte <= NINE)
    ? behindNumber(bytes, from)
    : behindWord(bytes, from);
};

/** The position behind a key and its colon. */
const behindKey = (bytes: Uint8Array, from: number): number => {
  if (bytes[from] !== QUOTE) return NOT;
  const at = behindString(bytes, from);
  return at !== NOT && bytes[at] === COLON ? at + 1 : NOT;
};

/**
 * Whether bytes are JSON that can be sent as it is: ASCII without blanks between its parts, without `\u`, and not deep.
 * Most payloads are. `false` says nothing: look at it in another way.
 */
export const isCompactJson = (bytes: Uint8Array): boolean => {
  let at = 0;
  let levels = 0;
  /** The kinds of the open levels, the innermost in the lowest bit: 1 is an object. */
  let kinds = 0;
  for (;;) {
    const byte = bytes[at];
    if (byte === OPEN_OBJECT || byte === OPEN_LIST) {
      if (levels === MOST_LEVELS) return false;
      const isObject = byte === OPEN_OBJECT;
      if (bytes[at + 1] === (isObject ? CLOSE_OBJECT : CLOSE_LIST)) at += 2;
      else {
        levels += 1;
        kinds = (kinds << 1) | (isObject ? 1 : 0);
        at = isObject ? behindKey(bytes, at + 1) : at + 1;
        if (at === NOT) return false;
        continue;
      }
    } else {
      at = behindScalar(bytes, at);
      if (at === NOT) return false;
    }
    // Behind a value: the levels that end here, then the next value.
    while (levels > 0 && bytes[at] === ((kinds & 1) === 1 ? CLOSE_OBJECT : CLOSE_LIST)) {
      levels -= 1;
      kinds >>= 1;
      at += 1;
    }
    if (levels === 0) return at === bytes.length;
    if (bytes[at] !== COMMA) return false;
    at = (kinds & 1) === 1 ? behindKey(bytes, at + 1) : at + 1;
    if (at === NOT) return false;
  }
};
