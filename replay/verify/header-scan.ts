import { eightBytes, fourBytes, hasByte, PATTERN } from '../../journal/wire/byte-words.js';

const TAB = 9;
const NEWLINE = 10;
const RETURN = 13;
const BLANK = 32;
const DOT = 46;
const SLASH = 47;
const ZERO = 48;
const NINE = 57;
const [N, T] = [78, 84];

/** `NATS/1.0` and its line end. */
const FIRST_LINE = 10;
const MAX_DIGITS = 16;
/** Nine digits, as `parsePart` takes. */
const MAX_PARTS = 999_999_999;

const eight = (text: string): number => eightBytes(Buffer.from(text));
const four = (text: string): number => fourBytes(Buffer.from(text));

// The names, in pieces that overlap where a name is no multiple of eight.
const TALLY_ID = [eight('Tally-Id'), ':'.charCodeAt(0)] as const;
const TALLY_CA = [eight('Tally-Ca'), four('use:')] as const;
/** Behind `Tally-Ca`: `ll:` of a call, `lls:` of what a result says of calls. */
const CALLS = four('lls:');
/** Behind `Tally-Ca`: what a result says of the cancel of its command. */
const [NCEL, LED] = [four('ncel'), four('led:')];
const [LETTER_L, LETTER_T, COLON] = [108, 116, 58];
/** What restarts the command. */
const TALLY_RE = [eight('Tally-Re'), four('star')] as const;
const TALLY_PA = [eight('Tally-Pa'), four('art:')] as const;
const FENCE = ['Nats-Exp', 'ected-La', 'st-Subje', 'ct-Seque'].map(eight) as [number, number, number, number];
const NCE = four('ence');
const SUBJECT = eight('-Subject');
/** `Nats-Expected-Last-Subject-Sequence`, and what is behind it of the other. */
const FENCE_LENGTH = 35;

/** What the checks need of a record's headers, read from their bytes in one pass. The first of a name counts. */
export class HeaderScan {
  /** Whether there is a `Tally-Id`. */
  hasId = false;
  /** Its producer; equal where it cannot be read. */
  producerFrom = 0;
  producerTo = 0;
  /** 0 where it cannot be read. */
  epoch = 0;
  n = 0;
  hasCause = false;
  /** 0: none, or none that can be read. */
  cause = 0;
  hasPart = false;
  /** 0: none, or none that can be read. */
  part = 0;
  parts = 0;
  /** Number of a call of a handler; 0: none, or none that can be read. */
  call = 0;
  /** What a result says of its handler's calls; equal where it says nothing. */
  callsFrom = 0;
  callsTo = 0;
  /** The record that cancelled the command of a result; 0: none, or none that can be read. */
  cancelled = 0;
  /** The record that restarts an earlier command as this; 0: none, or none that can be read. */
  restart = 0;
  /**
   * Where the headers end: without the line end at their end, which is the empty line where they are headers as they
   * should be.
   */
  storedTo = 0;

  private at = 0;

  scan(bytes: Buffer, words: DataView, from: number, to: number): void {
    this.hasId = this.hasCause = this.hasPart = false;
    this.producerFrom = this.producerTo = this.epoch = this.n = this.cause = this.part = this.parts = 0;
    this.call = this.callsFrom = this.callsTo = this.cancelled = this.restart = 0;
    this.storedTo = to - from >= 2 && bytes[to - 1] === NEWLINE && bytes[to - 2] === RETURN ? to - 2 : to;
    if (to - from <= FIRST_LINE) return;
    let line = from + FIRST_LINE;
    while (line < to) {
      const first = bytes[line] as number;
      // Names that are known are passed over at once: most bytes of headers are names.
      let end = line + 1;
      if (first === N) end = this.passed(words, line, to - line);
      // Only behind a whole line end: a line feed alone may be a part of a value.
      else if (first === T && to - line > 12 && bytes[line - 2] === RETURN)
        end = this.tally(bytes, words, line, to);
      while (end + 4 <= to && !hasByte(words.getInt32(end, true), PATTERN.newline)) end += 4;
      while (end < to && bytes[end] !== NEWLINE) end += 1;
      line = end + 1;
    }
  }

  /** Behind the name of a fence, if it is one. */
  private passed(words: DataView, line: number, room: number): number {
    if (
      room < FENCE_LENGTH + 10 ||
      words.getFloat64(line, true) !== FENCE[0] ||
      words.getFloat64(line + 8, true) !== FENCE[1] ||
      words.getFloat64(line + 16, true) !== FENCE[2] ||
      words.getFloat64(line + 24, true) !== FENCE[3] ||
      words.getInt32(line + FENCE_LENGTH - 4, true) !== NCE
    )
      return line + 1;
    return words.getFloat64(line + FENCE_LENGTH, true) === SUBJECT
      ? line + FENCE_LENGTH + 8
      : line + FENCE_LENGTH;
  }

  /** Reads the header if it is one of ours; how far it is read, which is not behind its line. */
  private tally(bytes: Buffer, words: DataView, line: number, to: number): number {
    const start = words.getFloat64(line, true);
    this.at = line + 1;
    if (start === TALLY_ID[0]) {
      if (bytes[line + 8] === TALLY_ID[1]) this.identity(bytes, line + 9, to);
    } else if (start === TALLY_CA[0]) {
      const next = words.getInt32(line + 8, true);
      if (next === TALLY_CA[1]) this.causedBy(bytes, line + 12, to);
      else if (next === CALLS) this.states(bytes, line + 12, to);
      else if (next === NCEL) this.cancelledBy(bytes, words, line + 12, to);
      else if (bytes[line + 8] === LETTER_L && bytes[line + 9] === LETTER_L && bytes[line + 10] === COLON)
        this.called(bytes, line + 11, to);
    } else if (start === TALLY_RE[0]) {
      if (
        words.getInt32(line + 8, true) === TALLY_RE[1] &&
        bytes[line + 12] === LETTER_T &&
        bytes[line + 13] === COLON
      )
        this.restartedBy(bytes, line + 14, to);
    } else if (start === TALLY_PA[0]) {
      if (words.getInt32(line + 7, true) === TALLY_PA[1]) this.partOf(bytes, line + 11, to);
    }
    return this.at;
  }

  private identity(bytes: Buffer, from: number, end: number): void {
    if (this.hasId) return;
    this.hasId = true;
    const start = skip(bytes, from, end);
    let at = start;
    while (at < end && bytes[at] !== DOT && bytes[at] !== RETURN) at += 1;
    const dot = at;
    this.at = dot;
    if (bytes[dot] !== DOT) return;
    const epoch = this.number(bytes, dot + 1, end);
    if (epoch === 0 || bytes[this.at] !== DOT) return;
    const n = this.number(bytes, this.at + 1, end);
    if (n === 0 || !this.isOver(bytes, end) || dot === start) return;
    this.producerFrom = start;
    this.producerTo = dot;
    this.epoch = epoch;
    this.n = n;
  }

  private causedBy(bytes: Buffer, from: number, end: number): void {
    if (this.hasCause) return;
    this.hasCause = true;
    const cause = this.number(bytes, skip(bytes, from, end), end);
    if (this.isOver(bytes, end)) this.cause = cause;
  }

  private cancelledBy(bytes: Buffer, words: DataView, from: number, end: number): void {
    if (this.cancelled !== 0 || end - from < 4 || words.getInt32(from, true) !== LED) return;
    const cancelled = this.number(bytes, skip(bytes, from + 4, end), end);
    if (this.isOver(bytes, end)) this.cancelled = cancelled;
  }

  private restartedBy(bytes: Buffer, from: number, end: number): void {
    if (this.restart !== 0) return;
    const restart = this.number(bytes, skip(bytes, from, end), end);
    if (this.isOver(bytes, end)) this.restart = restart;
  }

  private called(bytes: Buffer, from: number, end: number): void {
    if (this.call !== 0) return;
    const call = this.number(bytes, skip(bytes, from, end), end);
    if (this.isOver(bytes, end)) this.call = call;
  }

  private states(bytes: Buffer, from: number, end: number): void {
    if (this.callsFrom !== this.callsTo) return;
    const start = skip(bytes, from, end);
    let at = start;
    while (at < end && bytes[at] !== RETURN && bytes[at] !== BLANK && bytes[at] !== TAB) at += 1;
    this.at = at;
    if (!this.isOver(bytes, end)) return;
    this.callsFrom = start;
    this.callsTo = at;
  }

  private partOf(bytes: Buffer, from: number, end: number): void {
    if (this.hasPart) return;
    this.hasPart = true;
    const part = this.number(bytes, skip(bytes, from, end), end);
    if (part === 0 || bytes[this.at] !== SLASH) return;
    const parts = this.number(bytes, this.at + 1, end);
    if (!this.isOver(bytes, end) || part > parts || parts > MAX_PARTS) return;
    this.part = part;
    this.parts = parts;
  }

  /** Whether nothing but blanks stands behind what was read, up to the end of the line. */
  private isOver(bytes: Buffer, end: number): boolean {
    return bytes[skip(bytes, this.at, end)] === RETURN;
  }

  /** A number from 1 on as sequences are written; 0 when it is none. `at` is then behind it. */
  private number(bytes: Buffer, from: number, end: number): number {
    let value = 0;
    let at = from;
    while (at < end) {
      const byte = bytes[at] as number;
      if (byte < ZERO || byte > NINE) break;
      value = value * 10 + (byte - ZERO);
      at += 1;
    }
    this.at = at;
    const isNone = at === from || at - from > MAX_DIGITS || bytes[from] === ZERO;
    return isNone || value > Number.MAX_SAFE_INTEGER ? 0 : value;
  }
}

const skip = (bytes: Buffer, from: number, end: number): number => {
  let at = from;
  while (at < end && (bytes[at] === BLANK || bytes[at] === TAB)) at += 1;
  return at;
};
