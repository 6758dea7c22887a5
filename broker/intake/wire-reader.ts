/** A message as its first line and its headers say it. */
export interface Announced {
  readonly subject: string;
  readonly sid: number;
  readonly reply: string;
  readonly headers: Uint8Array;
  /** Bytes of headers and payload. */
  readonly size: number;
}

export interface WireHandler {
  /** A line that announces no message: INFO, PING, PONG, +OK, -ERR. */
  readonly line: (line: string) => void;
  /** Where the payload goes; undefined: it is skipped. */
  readonly place: (message: Announced) => Uint8Array | undefined;
  /** The payload of the message that was announced last is there, or skipped. */
  readonly end: () => void;
}

const CR = 13;
const LF = 10;
const NONE = new Uint8Array(0);
/** Far above the longest line of a server. */
const MAX_LINE = 1024 * 1024;

/**
 * Reads what a NATS server sends. A payload is copied once, to where it is kept, or not at all: the client library
 * copies each one several times while it grows, and a thread that reads a flood has no time for it.
 */
export class WireReader {
  #line: Buffer = Buffer.alloc(0);
  #headers: Uint8Array = NONE;
  #payload: Uint8Array | undefined;
  #announced: Omit<Announced, 'headers'> | undefined;
  #filled = 0;
  /** Bytes of headers, payload and line end that are still to come. */
  #headersLeft = 0;
  #payloadLeft = 0;
  #endLeft = 0;

  constructor(private readonly handler: WireHandler) {}

  /** The bytes may be written over afterwards. Throws when they are none of a NATS server. */
  feed(chunk: Buffer): void {
    let at = 0;
    while (at < chunk.length) at = this.#step(chunk, at);
  }

  #step(chunk: Buffer, at: number): number {
    if (this.#headersLeft > 0) return this.#readHeaders(chunk, at);
    if (this.#payloadLeft > 0) return this.#readPayload(chunk, at);
    if (this.#endLeft > 0) {
      const count = Math.min(this.#endLeft, chunk.length - at);
      this.#endLeft -= count;
      if (this.#endLeft === 0) this.#ended();
      return at + count;
    }
    return this.#readLine(chunk, at);
  }

  #readLine(chunk: Buffer, at: number): number {
    const end = chunk.indexOf(LF, at);
    const until = end < 0 ? chunk.length : end;
    const rest = chunk.subarray(at, until);
    const whole = this.#line.length === 0 ? rest : Buffer.concat([this.#line, rest]);
    if (whole.length > MAX_LINE) throw new Error('the server sent a line without end');
    if (end < 0) {
      this.#line = Buffer.from(whole);
      return chunk.length;
    }
    this.#line = Buffer.alloc(0);
    const length = whole[whole.length - 1] === CR ? whole.length - 1 : whole.length;
    this.#begin(whole.toString('utf8', 0, length));
    return end + 1;
  }

  #begin(line: string): void {
    const hasHeaders = line.startsWith('HMSG ');
    if (!hasHeaders && !line.startsWith('MSG ')) return this.handler.line(line);
    const parts = line.split(/[ \t]+/);
    const numbers = hasHeaders ? 2 : 1;
    const size = Number(parts.at(-1));
    const headerBytes = hasHeaders ? Number(parts.at(-2)) : 0;
    const [, subject = '', sid = ''] = parts;
    const reply = parts.length === 4 + numbers ? (parts[3] ?? '') : '';
    if (!(headerBytes >= 0 && size >= headerBytes)) throw new Error(`the server sent ${line.slice(0, 200)}`);
    this.#announced = { subject, sid: Number(sid), reply, size };
    this.#headers = headerBytes === 0 ? NONE : new Uint8Array(headerBytes);
    this.#filled = 0;
    this.#headersLeft = headerBytes;
    this.#payloadLeft = size - headerBytes;
    this.#endLeft = 2;
    if (headerBytes === 0) this.#place();
  }

  #place(): void {
    const announced = this.#announced as Omit<Announced, 'headers'>;
    this.#payload = this.handler.place({ ...announced, headers: this.#headers });
    this.#filled = 0;
  }

  #readHeaders(chunk: Buffer, at: number): number {
    const count = Math.min(this.#headersLeft, chunk.length - at);
    this.#headers.set(chunk.subarray(at, at + count), this.#filled);
    this.#filled += count;
    this.#headersLeft -= count;
    if (this.#headersLeft === 0) this.#place();
    return at + count;
  }

  #readPayload(chunk: Buffer, at: number): number {
    const count = Math.min(this.#payloadLeft, chunk.length - at);
    this.#payload?.set(chunk.subarray(at, at + count), this.#filled);
    this.#filled += count;
    this.#payloadLeft -= count;
    return at + count;
  }

  #ended(): void {
    this.#announced = undefined;
    this.#headers = NONE;
    this.#payload = undefined;
    this.handler.end();
  }
}
