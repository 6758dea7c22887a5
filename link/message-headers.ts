import type { Msg, MsgHdrs } from 'nats';
import { encodedHeaders, heldHeaders, holdHeaders, rawBytesOf, rawSubjectOf } from './client-insides.js';
import { headerIn, headersIn, lastHeaderIn, type Status, statusIn } from './header-text.js';

const NONE = Buffer.alloc(0);

/** A message as a client hands it over, as far as it is needed here. */
export type Delivered = Pick<Msg, 'data'> & { readonly headers?: MsgHdrs | undefined };

const utf8Of = ({ buffer, byteOffset, byteLength }: Uint8Array): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString('utf8');

/**
 * The headers of one message, read from their bytes when they are asked for. They stand in the place of the client's own,
 * which read all lines at once, take a time that grows with the square of their number, and throw where one of them is bad:
 * in the middle of the client's read loop, which then reads nothing more from the server.
 */
export class MessageHeaders implements MsgHdrs {
  #text: string | undefined;
  #all: ReadonlyMap<string, string[]> | undefined;
  #status: Status | undefined;

  constructor(private readonly bytes: Uint8Array) {}

  /** As they travel, from `NATS/1.0` to the empty line. */
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

  /** By which the client publishes headers: the same bytes again. */
  encode(): Uint8Array {
    return this.bytes;
  }

  set(): never {
    throw new TypeError('the headers of a message that came cannot be changed');
  }

  append(): never {
    return this.set();
  }

  delete(): never {
    return this.set();
  }
}

/**
 * The headers of a message as they came; empty where it has none. The client's own header object writes them anew, which may
 * differ in a blank.
 */
export const headerBytesOf = (message: Delivered): Uint8Array => {
  const raw = rawBytesOf(message);
  if (raw === undefined) return encodedHeaders(message.headers) ?? NONE;
  return raw.subarray(0, raw.length - message.data.length);
};

/** The subject of a message as it came: text loses bytes that are no UTF-8. */
export const subjectBytesOf = (message: { readonly subject: string }): Uint8Array =>
  rawSubjectOf(message) ?? Buffer.from(message.subject);

/** The headers of a message, read in a way that throws for no bytes, over whichever connection it came. */
export const headersOf = (message: Delivered): MessageHeaders => {
  const held = heldHeaders(message);
  return held instanceof MessageHeaders ? held : new MessageHeaders(headerBytesOf(message));
};

/** The first value of a header; undefined where the message has none of that name, or an empty one. */
export const headerOf = (message: Delivered, name: string): string | undefined =>
  headerIn(headersOf(message).text, name);

/** The last value: of headers that the server puts behind those of the sender. */
export const lastHeaderOf = (message: Delivered, name: string): string | undefined =>
  lastHeaderIn(headersOf(message).text, name);

/** Has the client itself read this message's headers in the same way. */
export const readByOurselves = (message: Delivered): void => {
  const raw = rawBytesOf(message);
  if (raw !== undefined && raw.length > message.data.length && heldHeaders(message) === undefined)
    holdHeaders(message, new MessageHeaders(headerBytesOf(message)));
};
