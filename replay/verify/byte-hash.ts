/**
 * Fingerprints of bytes, 53 bits in one number: what has to be remembered of millions of records takes a few bytes each. Two
 * that differ are equal by chance once in 9,000,000,000,000,000; nobody is told so by whoever changes a log on purpose,
 * which is what the digest is for.
 */
export const SEED_A = 0x811c9dc5 | 0;
export const SEED_B = 0x2545f491;
export const PRIME_A = 0x01000193;
export const PRIME_B = 0x5bd1e995;

const UNSIGNED = 4_294_967_296;

/** Joins two running values of 32 bits; never 0, which stands for nothing. */
export const joined = (a: number, b: number): number => {
  const mixedA = Math.imul(a ^ (a >>> 15), 0x2c1b3c6d);
  const mixedB = Math.imul(b ^ (b >>> 13), 0x297a2d39);
  const high = (mixedA ^ (mixedA >>> 12)) >>> 0;
  const low = (mixedB ^ (mixedB >>> 16)) & 0x1f_ffff;
  return low * UNSIGNED + high || 1;
};

/** A hash that goes on over several pieces. */
export class ByteHash {
  #a = SEED_A;
  #b = SEED_B;

  reset(): this {
    this.#a = SEED_A;
    this.#b = SEED_B;
    return this;
  }

  add(bytes: Uint8Array, from: number, to: number): this {
    let a = this.#a;
    let b = this.#b;
    for (let at = from; at < to; at++) {
      const byte = bytes[at] as number;
      a = Math.imul(a ^ byte, PRIME_A);
      b = Math.imul(b ^ byte, PRIME_B) ^ (b >>> 17);
    }
    this.#a = a;
    this.#b = b;
    return this;
  }

  addByte(byte: number): this {
    this.#a = Math.imul(this.#a ^ byte, PRIME_A);
    this.#b = Math.imul(this.#b ^ byte, PRIME_B) ^ (this.#b >>> 17);
    return this;
  }

  get value(): number {
    return joined(this.#a, this.#b);
  }
}

const shared = new ByteHash();

/** Fingerprint of a text in UTF-8. */
export const hashOf = (text: string): number => {
  const bytes = Buffer.from(text);
  return shared.reset().add(bytes, 0, bytes.length).value;
};
