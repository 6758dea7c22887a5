import { eightBytes, hasByte, PATTERN } from '../wire/byte-words.js';

const RETURN = 13;
const SPACE = 32;
const DOT = 46;
const ZERO = 48;
const NINE = 57;
const H = 72;
const M = 77;
/** Digits of nanoseconds since 1970, from 2001 to 2286. */
const NANO_DIGITS = 19;

/** Text that is compared eight bytes at a time, the last eight overlapping those before. */
export class Prefix {
  readonly length: number;
  readonly #eights: readonly number[];
  readonly #last: number;

  /** `text`: at least eight bytes. */
  constructor(text: string) {
    const bytes = Buffer.from(text);
    this.length = bytes.length;
    this.#eights = Array.from({ length: this.length >> 3 }, (_, i) => eightBytes(bytes, i * 8));
    this.#last = eightBytes(bytes, this.length - 8);
  }

  isAt(words: DataView, from: number): boolean {
    if (from + this.length > words.byteLength) return false;
    const eights = this.#eights;
    for (let i = 0; i < eights.length; i++)
      if (words.getFloat64(from + i * 8, true) !== eights[i]) return false;
    return words.getFloat64(from + this.length - 8, true) === this.#last;
  }
}

/**
 * The first line of a delivery of a consumer, read from its bytes in one pass: `HMSG <subject> <sid> <reply
 * prefix><seq>.<delivered>.<nanos>.<pending> <header length> <length>`, or `MSG` without headers. One object that
 * reads line after line: an object a line, or a number, would cost more than reading it.
 */
export class DeliveryLine {
  subjectFrom = 0;
  subjectTo = 0;
  /** The subscription's id. */
  sid = 0;
  seq = 0;
  delivered = 0;
  nanosFrom = 0;
  nanosTo = 0;
  pending = 0;
  /** Bytes of the reply subject. */
  replyLength = 0;
  /** Where the headers begin, behind the line. */
  headersFrom = 0;
  dataFrom = 0;
  dataTo = 0;

  #hasHeaders = false;
  // The number that was read last, and what is behind its end.
  #number = 0;
  #at = 0;

  /** Reads up to the subscription's id; false where that is not there, or no delivery. */
  begins(bytes: Buffer, words: DataView, from: number): boolean {
    const first = bytes[from];
    if (first !== H && first !== M) return false;
    this.#hasHeaders = first === H;
    this.subjectFrom = from + (this.#hasHeaders ? 5 : 4);
    const { length } = bytes;
    let at = this.subjectFrom;
    while (at + 4 <= length && !hasByte(words.getInt32(at, true), PATTERN.space)) at += 4;
    while (at < length && bytes[at] !== SPACE) at += 1;
    this.subjectTo = at;
    const isWhole = this.#reads(bytes, at + 1, SPACE);
    this.sid = this.#number;
    return isWhole;
  }

  /** Reads on to the end of the line; false where it is not whole, or not of this form. */
  goesOn(bytes: Buffer, words: DataView, prefix: Prefix): boolean {
    const replyFrom = this.#at;
    if (!prefix.isAt(words, replyFrom) || !this.#reads(bytes, replyFrom + prefix.length, DOT)) return false;
    this.seq = this.#number;
    if (!this.#reads(bytes, this.#at, DOT)) return false;
    this.delivered = this.#number;
    this.nanosFrom = this.#at;
    // Digits that the server has written: only where they end is looked at.
    this.nanosTo = this.nanosFrom + NANO_DIGITS;
    if (this.nanosTo >= bytes.length) return false;
    if (bytes[this.nanosTo] !== DOT) {
      if (!this.#reads(bytes, this.nanosFrom, DOT)) return false;
      this.nanosTo = this.#at - 1;
    }
    if (!this.#reads(bytes, this.nanosTo + 1, SPACE)) return false;
    this.pending = this.#number;
    this.replyLength = this.#at - 1 - replyFrom;
    let headers = 0;
    if (this.#hasHeaders) {
      if (!this.#reads(bytes, this.#at, SPACE)) return false;
      headers = this.#number;
    }
    if (!this.#reads(bytes, this.#at, RETURN)) return false;
    // Behind the newline.
    this.headersFrom = this.#at + 1;
    this.dataFrom = this.headersFrom + headers;
    this.dataTo = this.headersFrom + this.#number;
    return true;
  }

  /** Reads digits that end with `terminator`. */
  #reads(bytes: Buffer, from: number, terminator: number): boolean {
    const { length } = bytes;
    let value = 0;
    let at = from;
    let byte = 0;
    while (at < length) {
      byte = bytes[at] as number;
      if (byte < ZERO || byte > NINE) break;
      value = value * 10 + (byte - ZERO);
      at += 1;
    }
    this.#number = value;
    this.#at = at + 1;
    return at > from && at < length && byte === terminator;
  }
}
