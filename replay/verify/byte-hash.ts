import { wordsOf } from '../../journal/wire/byte-words.js';

/**
 * Fingerprints of bytes, 53 bits in one number: what has to be remembered of millions of records takes a few bytes
 * each. Two that differ are equal by chance once in 9,000,000,000,000,000; who changes a log on purpose is found by
 * the digest.
 */
const SEED_A = 0x811c9dc5 | 0;
const SEED_B = 0x2545f491;
const PRIME_A = 0x01000193;
const PRIME_B = 0x5bd1e995;

const UNSIGNED = 4_294_967_296;

/** Joins two running values of 32 bits; never 0, which stands for nothing. */
const joined = (a: number, b: number): number => {
  const mixedA = Math.imul(a ^ (a >>> 15), 0x2c1b3c6d);
  const mixedB = Math.imul(b ^ (b >>> 13), 0x297a2d39);
  const high = (mixedA ^ (mixedA >>> 12)) >>> 0;
  const low = (mixedB ^ (mixedB >>> 16)) & 0x1f_ffff;
  return low * UNSIGNED + high || 1;
};

/** A hash over several pieces. The same bytes in other pieces give another value. */
export class ByteHash {
  #a = SEED_A;
  #b = SEED_B;

  /** Starts over. Hashes of different kinds never equal each other. */
  reset(kind = 0): this {
    this.#a = SEED_A ^ kind;
    this.#b = SEED_B;
    return this;
  }

  /**
   * Eight bytes at a time, by a view: each half goes into a separate running value, which then goes into the other. For
   * one state no two pairs of halves give the same, so that a difference in eight bytes alone is never lost.
   */
  add(words: DataView, from: number, to: number): this {
    let a = this.#a ^ (to - from);
    let b = this.#b;
    let at = from;
    for (; at + 8 <= to; at += 8) {
      const left = Math.imul(a ^ words.getInt32(at, true), PRIME_A);
      const right = Math.imul(b ^ words.getInt32(at + 4, true), PRIME_B);
      a = left ^ (right >>> 15);
      b = right ^ (left >>> 13);
    }
    if (at + 4 <= to) {
      const word = words.getInt32(at, true);
      a = Math.imul(a ^ word, PRIME_A) ^ (a >>> 15);
      b = Math.imul(b ^ word, PRIME_B) ^ (b >>> 13);
      at += 4;
    }
    for (; at < to; at++) {
      const byte = words.getUint8(at);
      a = Math.imul(a ^ byte, PRIME_A) ^ (a >>> 15);
      b = Math.imul(b ^ byte, PRIME_B) ^ (b >>> 13);
    }
    this.#a = a;
    this.#b = b;
    return this;
  }

  addText(text: string): this {
    const bytes = Buffer.from(text);
    return this.add(wordsOf(bytes), 0, bytes.length);
  }

  get value(): number {
    return joined(this.#a, this.#b);
  }
}
