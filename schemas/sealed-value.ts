/** The only member of the object that stands in the place of an encrypted value. */
export const SEALED_NAME = 'tallystick:sealed';

/** What people see in the place of an encrypted value, and of one whose key is destroyed. */
export const SEALED = '(sealed)';
export const ERASED = '(erased)';

const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** How a sealed value begins, as `seal` writes it. */
export const SEALED_BEGIN = `{"${SEALED_NAME}":"`;
const OPEN = encoder.encode(SEALED_BEGIN);
const CLOSE = encoder.encode('"}');
const [QUOTE, END_OBJECT] = [34, 125];

/** Makes text of a value's bytes. The text has no quote and no backslash. */
export type SealText = (plain: Uint8Array) => string;
/** Gives the bytes back; undefined: it has no key for them. */
export type OpenText = (text: string) => Uint8Array | undefined;

/** The object that stands in the place of a value. */
export const sealedObject = (text: string): Uint8Array => Buffer.concat([OPEN, encoder.encode(text), CLOSE]);

const viewOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/**
 * Whether the bytes have the beginning of a sealed value, as `seal` writes it. A text in JSON cannot have it: the
 * quotes in it would have backslashes.
 */
export const hasSealed = (bytes: Uint8Array): boolean => viewOf(bytes).indexOf(OPEN) >= 0;

/** Whether a value is sealed as a whole: there is nothing in it that a mask must hide. */
export const isSealedValue = (bytes: Uint8Array): boolean => {
  const view = viewOf(bytes);
  return view.indexOf(OPEN) === 0 && view.indexOf(QUOTE, OPEN.length) === view.length - CLOSE.length;
};

/**
 * The payload with the bytes of each value that `seal` has sealed. What is in those bytes is not opened again.
 * `missing`: what to put where there is no key.
 */
export const openSealed = (
  bytes: Uint8Array,
  text: OpenText,
  missing: (text: string) => Uint8Array,
): Uint8Array => {
  const view = viewOf(bytes);
  let found = view.indexOf(OPEN);
  if (found < 0) return bytes;
  const parts: Uint8Array[] = [];
  let at = 0;
  while (found >= 0) {
    const from = found + OPEN.length;
    const to = view.indexOf(QUOTE, from);
    if (to < 0 || view[to + 1] !== END_OBJECT) {
      found = view.indexOf(OPEN, from);
      continue;
    }
    const sealed = decoder.decode(view.subarray(from, to));
    parts.push(view.subarray(at, found), text(sealed) ?? missing(sealed));
    at = to + CLOSE.length;
    found = view.indexOf(OPEN, at);
  }
  return Buffer.concat([...parts, view.subarray(at)]);
};
