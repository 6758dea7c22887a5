const NEWLINE = 10;
const RETURN = 13;
const BLANK = 32;
const MINUS = 45;
const DOT = 46;
const SLASH = 47;
const ZERO = 48;
const NINE = 57;
const COLON = 58;
const [C, I, N, P, T] = [67, 73, 78, 80, 84];
const [a, d, l, r, s, t, u, y] = [97, 100, 108, 114, 115, 116, 117, 121];

/** `NATS/1.0` and its line end. */
const FIRST_LINE = 10;
const MAX_DIGITS = 16;
const PIN = 'Nats-Pin-Id:';

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
  /** Where the headers as they were stored end: without the empty line, and without what a delivery added. */
  storedTo = 0;

  private at = 0;

  scan(bytes: Buffer, from: number, to: number): void {
    this.hasId = this.hasCause = this.hasPart = false;
    this.producerFrom = this.producerTo = this.epoch = this.n = this.cause = this.part = this.parts = 0;
    this.storedTo = from;
    if (to - from <= FIRST_LINE) return;
    let line = from + FIRST_LINE;
    let last = line;
    while (line < to) {
      const first = bytes[line] as number;
      if (first === RETURN) break;
      let end = line + 1;
      while (end < to && bytes[end] !== NEWLINE) end += 1;
      if (first === T && bytes[line + 1] === a && bytes[line + 5] === MINUS) this.tally(bytes, line, end - 1);
      last = line;
      line = end + 1;
    }
    this.storedTo = this.isPin(bytes, last) ? last : line;
    if (this.storedTo - from <= FIRST_LINE) this.storedTo = from;
  }

  /** The server tells a pinned consumer so with every record that it delivers, behind all other headers. */
  private isPin(bytes: Buffer, line: number): boolean {
    if (bytes[line] !== N) return false;
    for (let at = 0; at < PIN.length; at++) if (bytes[line + at] !== PIN.charCodeAt(at)) return false;
    return true;
  }

  private tally(bytes: Buffer, line: number, end: number): void {
    if (bytes[line + 2] !== l || bytes[line + 3] !== l || bytes[line + 4] !== y) return;
    const sixth = bytes[line + 6];
    const seventh = bytes[line + 7];
    if (sixth === I && seventh === d && bytes[line + 8] === COLON) this.identity(bytes, line + 9, end);
    else if (
      sixth === C &&
      seventh === a &&
      bytes[line + 8] === u &&
      bytes[line + 9] === s &&
      bytes[line + 11] === COLON
    )
      this.causedBy(bytes, line + 12, end);
    else if (
      sixth === P &&
      seventh === a &&
      bytes[line + 8] === r &&
      bytes[line + 9] === t &&
      bytes[line + 10] === COLON
    )
      this.partOf(bytes, line + 11, end);
  }

  private identity(bytes: Buffer, from: number, end: number): void {
    if (this.hasId) return;
    this.hasId = true;
    const start = this.skip(bytes, from, end);
    let at = start;
    while (at < end && bytes[at] !== DOT) at += 1;
    const dot = at;
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
    const cause = this.number(bytes, this.skip(bytes, from, end), end);
    if (this.isOver(bytes, end)) this.cause = cause;
  }

  private partOf(bytes: Buffer, from: number, end: number): void {
    if (this.hasPart) return;
    this.hasPart = true;
    const part = this.number(bytes, this.skip(bytes, from, end), end);
    if (part === 0 || bytes[this.at] !== SLASH) return;
    const parts = this.number(bytes, this.at + 1, end);
    if (!this.isOver(bytes, end) || part > parts) return;
    this.part = part;
    this.parts = parts;
  }

  private skip(bytes: Buffer, from: number, end: number): number {
    let at = from;
    while (at < end && bytes[at] === BLANK) at += 1;
    return at;
  }

  /** Whether nothing but blanks stands behind what was read. */
  private isOver(bytes: Buffer, end: number): boolean {
    return this.skip(bytes, this.at, end) === end;
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
    return at === from || at - from > MAX_DIGITS || bytes[from] === ZERO || !Number.isSafeInteger(value)
      ? 0
      : value;
  }
}
