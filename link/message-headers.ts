import type { Msg, MsgHdrs } from 'nats';
import { encodedHeaders, heldHeaders, holdHeaders, rawBytesOf, rawSubjectOf } from './client-insides.js';
import { headerIn, headersIn, lastHeaderIn, type Status, statusIn } from './header-text.js';

const NONE = Buffer.alloc(0);

/** The parts of a client's message that are needed here. */
export type Delivered = Pick<Msg, 'data'> & { readonly headers?: MsgHdrs | undefined };

const utf8Of = ({ buffer, byteOffset, byteLength }: Uint8Array): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString('utf8');

/**
 * The headers of one message, read from their bytes on request. They replace the client's own headers, which read all
 * lines at once, take time that grows with the square of their number, and throw at a bad line. That happens in the
 * middle of the client's read loop, which then reads nothing more from the server.
 */
export class MessageHeaders implements MsgHdrs {
  #text: string | undefined;
  #all: ReadonlyMap<string, string[]> | undefined;
  #status: Status | undefined;

  constructor(private readonly bytes: Uint8Array) {}

  /** The wire form, from `NATS/1.0` to the empty line. */
  get text(): string {
    this.#text ??= utf8Of(this.bytes);
    return this.#text;
  }

  get all(): ReadonlyMap<string, string[]> {
    this.#all ??= headersIn(this.text);
    return this.#all;
  }

  private get known(): Status {
    this.#status ??= statusIn(this.text);
    return this.#status;
  }

  get code(): number {
    return this.known.code;
  }

  get description(): string {
    return this.known.description;
  }

  get status(): string {
    return `${this.code} ${this.description}`.trim();
  }

  get hasError(): boolean {
    return this.code >= 300;
  }

  get(name: string): string {
    return headerIn(this.text, name) ?? '';
  }

  last(name: string): string {
    return lastHeaderIn(this.text, name) ?? '';
  }

  has(name: string): boolean {
    return this.all.has(name);
  }

  keys(): string[] {
    return [...this.all.keys()];
  }

  values(name: string): string[] {
    return [...(this.all.get(name) ?? [])];
  }

  [Symbol.iterator](): Iterator<[string, string[]]> {
    return this.all.entries() as Iterator<[string, string[]]>;
  }

  /** The client publishes headers by this: the same bytes again. */
  encode(): Uint8Array {
    return this.bytes;
  }

  set(): never {
    throw new TypeError('the headers of a received message cannot be changed');
  }

  append(): never {
    return this.set();
  }

  delete(): never {
    return this.set();
  }
}

/**
 * The headers of a message in their wire form; empty if it has none. The client's own header object writes them
 * again, and may differ in a blank.
 */
export const headerBytesOf = (message: Delivered): Uint8Array => {
  const raw = rawBytesOf(message);
  if (raw === undefined) return encodedHeaders(message.headers) ?? NONE;
  return raw.subarray(0, raw.length - message.data.length);
};

/** The subject of a message in its bytes: text would lose bytes that are not UTF-8. */
export const subjectBytesOf = (message: { readonly subject: string }): Uint8Array =>
  rawSubjectOf(message) ?? Buffer.from(message.subject);

/** The headers of a message, from any connection, in a form that never throws. */
export const headersOf = (message: Delivered): MessageHeaders => {
  const held = heldHeaders(message);
  return held instanceof MessageHeaders ? held : new MessageHeaders(headerBytesOf(message));
};

/** The first value of a header; undefined if the message has no header of that name, or an empty one. */
export const headerOf = (message: Delivered, name: string): string | undefined =>
  headerIn(headersOf(message).text, name);

/** The last value: the server puts its headers after those of the sender. */
export const lastHeaderOf = (message: Delivered, name: string): string | undefined =>
  lastHeaderIn(headersOf(message).text, name);

/** Makes the client itself read this message's headers in the same way. */
export const readByOurselves = (message: Delivered): void => {
  const raw = rawBytesOf(message);
  if (raw !== undefined && raw.length > message.data.length && heldHeaders(message) === undefined)
    holdHeaders(message, new MessageHeaders(headerBytesOf(message)));
};
