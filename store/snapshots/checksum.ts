/**
 * A checksum of words of 32 bits: from one word to the next it is a bijection, so that whatever changes within one
 * word is found for certain, and anything else but for one in four billion. A byte-wise CRC costs a lookup more than
 * the lookup.
 */
export const checksum = (words: Uint32Array, from: number, to: number): number => {
  let hash = 0x9747b28c;
  for (let i = from; i < to; i++) {
    hash = Math.imul(hash ^ (words[i] as number), 0x01000193);
    // Without this, high bits of a word never reach low ones of the hash.
    hash ^= hash >>> 15;
  }
  return hash >>> 0;
};
