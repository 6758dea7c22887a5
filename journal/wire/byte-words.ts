/** A view of the same bytes, from the same place on: what reads them several at a time. */
export const wordsOf = ({ buffer, byteOffset, byteLength }: Uint8Array): DataView =>
  new DataView(buffer, byteOffset, byteLength);

/**
 * Eight bytes as the number that `getFloat64(at, true)` reads them as: one comparison in the place of eight. Never
 * NaN in ASCII.
 */
export const eightBytes = (bytes: Buffer, from = 0): number => bytes.readDoubleLE(from);
/** Four bytes as `getInt32(at, true)` reads them. */
export const fourBytes = (bytes: Buffer, from = 0): number => bytes.readInt32LE(from);

/** A byte four times over, for {@link hasByte}. */
export const PATTERN = {
  space: 0x20202020,
  newline: 0x0a0a0a0a,
  quote: 0x22222222,
  backslash: 0x5c5c5c5c,
} as const;

/**
 * Whether one of four bytes is that of the pattern: what is left of it is 0, and only from there on does the
 * difference borrow.
 */
export const hasByte = (word: number, pattern: number): boolean => {
  const left = word ^ pattern;
  return ((left - 0x01010101) & ~left & 0x80808080) !== 0;
};
