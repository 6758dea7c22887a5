/**
 * The deepest nesting of a payload. Recursive functions check, copy and write a parsed payload, and some 6,000 levels
 * overflow the stack of a process.
 */
export const MAX_JSON_DEPTH = 500;

/** The deepest nesting of a record that is read: a result holds the sent payload some levels further down. */
export const MAX_STORED_DEPTH = 1_000;

const QUOTE = 34;
const BACKSLASH = 92;
const OPEN_LIST = 91;
const CLOSE_LIST = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;

/** Whether JSON is nested deeper than this many levels. It looks at the bytes and parses nothing. */
export const isDeeperThan = (bytes: Uint8Array, levels: number): boolean => {
  // Each level takes at least a byte.
  if (bytes.length <= levels) return false;
  let depth = 0;
  let isText = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (isText) {
      if (byte === BACKSLASH) at += 1;
      else if (byte === QUOTE) isText = false;
    } else if (byte === QUOTE) isText = true;
    else if (byte === OPEN_LIST || byte === OPEN_OBJECT) {
      depth += 1;
      if (depth > levels) return true;
    } else if (byte === CLOSE_LIST || byte === CLOSE_OBJECT) depth -= 1;
  }
  return false;
};
