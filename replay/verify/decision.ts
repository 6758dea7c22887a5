import { promisedCopies } from '../../schemas/result-bytes.js';
import { fourBytes, hasByte, PATTERN, wordsOf } from '../../journal/wire/byte-words.js';
import { ByteHash } from './byte-hash.js';
import { isCopySubject, type ByteSpan } from './copy-subject.js';

const QUOTE = 34;
const COMMA = 44;
const BACKSLASH = 92;
const OPEN_LIST = 91;
const CLOSE_LIST = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;

/** What a result begins with that JSON.stringify wrote, and what stands in it before each part. */
const START = Buffer.from('{"status":"ok","data":');
const OUT = Buffer.from(',"out":[');
const SUBJECT = Buffer.from('{"subject":"');
const ID = Buffer.from('","id":"');
const DATA = Buffer.from('","data":');
const EVENT = fourBytes(Buffer.from('evt.'));
const COMMAND = fourBytes(Buffer.from('cmd.'));

const NOTHING: readonly number[] = [];

/** Stands for a copy that the module may not have. */
export const FORBIDDEN = -1;

const hash = new ByteHash();

/**
 * Fingerprint of a copy: its subject, as the decision has it, and its payload. Never {@link FORBIDDEN}, and never 0.
 */
export const copyHash = (
  words: DataView,
  subjectFrom: number,
  subjectTo: number,
  dataFrom: number,
  dataTo: number,
): number => hash.reset().add(words, subjectFrom, subjectTo).add(words, dataFrom, dataTo).value;

/** The same of a subject as text. */
export const copyHashOf = (subject: string, data: Uint8Array): number =>
  hash.reset().addText(subject).add(wordsOf(data), 0, data.length).value;

/**
 * Reads from a result what it promises: a fingerprint for each of its `out`. Results as JSON.stringify writes them
 * are read from their bytes; all else is parsed.
 */
class DecisionReader {
  private bytes: Uint8Array = START;
  private words = wordsOf(START);
  private at = 0;
  private end = 0;
  private module: ByteSpan = { bytes: START, from: 0, to: 0 };

  /** Undefined where it is not written in the form that is known. */
  read(
    bytes: Uint8Array,
    words: DataView,
    from: number,
    to: number,
    module: ByteSpan,
  ): readonly number[] | undefined {
    this.module = module;
    this.bytes = bytes;
    this.words = words;
    this.at = from;
    this.end = to;
    if (!this.takes(START) || !this.skipValue()) return undefined;
    if (this.at === to - 1 && bytes[this.at] === CLOSE_OBJECT) return NOTHING;
    if (!this.takes(OUT)) return undefined;
    const copies: number[] = [];
    for (;;) {
      const copy = this.copy();
      if (copy === 0) return undefined;
      copies.push(copy);
      const next = bytes[this.at];
      this.at += 1;
      if (next === COMMA) continue;
      return next === CLOSE_LIST && bytes[this.at] === CLOSE_OBJECT && this.at === to - 1
        ? copies
        : undefined;
    }
  }

  /** One of `out`; 0 where it is none. */
  private copy(): number {
    if (!this.takes(SUBJECT)) return 0;
    const subjectFrom = this.at;
    if (!this.skipText()) return 0;
    const subjectTo = this.at;
    if (subjectTo - subjectFrom < 4) return 0;
    const kind = this.words.getInt32(subjectFrom, true);
    // Anything else is no copy.
    if (kind !== EVENT && kind !== COMMAND) return 0;
    if (!this.takes(ID) || !this.skipText() || !this.takes(DATA)) return 0;
    const dataFrom = this.at;
    if (!this.skipValue()) return 0;
    const dataTo = this.at;
    if (this.bytes[this.at] !== CLOSE_OBJECT) return 0;
    this.at += 1;
    const subject = { bytes: this.bytes, from: subjectFrom, to: subjectTo };
    if (!isCopySubject(subject, this.module)) return FORBIDDEN;
    return copyHash(this.words, subjectFrom, subjectTo, dataFrom, dataTo);
  }

  private takes(what: Uint8Array): boolean {
    if (this.end - this.at < what.length) return false;
    for (let i = 0; i < what.length; i++) if (this.bytes[this.at + i] !== what[i]) return false;
    this.at += what.length;
    return true;
  }

  /** Up to the quote that ends a text without escapes. */
  private skipText(): boolean {
    while (this.at < this.end) {
      const byte = this.bytes[this.at];
      if (byte === QUOTE) return true;
      if (byte === BACKSLASH) return false;
      this.at += 1;
    }
    return false;
  }

  /** The position after one JSON value, which its writer has checked. */
  private skipValue(): boolean {
    const { bytes, words, end } = this;
    let depth = 0;
    let at = this.at;
    while (at < end) {
      const byte = bytes[at] as number;
      if (byte === QUOTE) {
        at += 1;
        for (;;) {
          while (
            at + 8 <= end &&
            !hasQuoteOrBackslash(words.getInt32(at, true)) &&
            !hasQuoteOrBackslash(words.getInt32(at + 4, true))
          )
            at += 8;
          while (at < end && bytes[at] !== QUOTE && bytes[at] !== BACKSLASH) at += 1;
          if (at >= end || bytes[at] === QUOTE) break;
          at += 2;
        }
      } else if (byte === OPEN_OBJECT || byte === OPEN_LIST) depth += 1;
      else if (byte === CLOSE_OBJECT || byte === CLOSE_LIST) {
        if (depth === 0) break;
        depth -= 1;
      } else if (byte === COMMA && depth === 0) break;
      at += 1;
      if (depth === 0 && (byte === CLOSE_OBJECT || byte === CLOSE_LIST || byte === QUOTE)) break;
    }
    const isValue = at > this.at && at < end;
    this.at = at;
    return isValue;
  }
}

const hasQuoteOrBackslash = (word: number): boolean =>
  hasByte(word, PATTERN.quote) || hasByte(word, PATTERN.backslash);

const reader = new DecisionReader();

/**
 * The fingerprints of what a result of this module promises, in order; {@link FORBIDDEN} for what it may not have.
 * What is no result promises nothing.
 */
export const promisedBy = (
  bytes: Uint8Array,
  words: DataView,
  from: number,
  to: number,
  module: ByteSpan,
): readonly number[] => {
  const found = reader.read(bytes, words, from, to, module);
  if (found !== undefined) return found;
  return promisedCopies(bytes.subarray(from, to)).map(({ subject, data }) => {
    const text = Buffer.from(subject);
    const isAllowed = isCopySubject({ bytes: text, from: 0, to: text.length }, module);
    return isAllowed ? copyHashOf(subject, data) : FORBIDDEN;
  });
};
