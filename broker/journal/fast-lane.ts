import type { NatsConnection } from 'nats';
import { WireRecord } from './wire-record.js';

/** One subscription's deliveries from one consumer. */
export interface Lane {
  /** The subscription's id on the connection. */
  readonly sid: number;
  /** What the reply subject of each delivery begins with, up to the sequence. */
  readonly replyPrefix: string;
  /** `size` is what the message counts for in the bytes of a pull: subject, reply, headers and payload. */
  readonly onRecord: (record: WireRecord, delivered: number, pending: number, size: number) => void;
}

/** The client's parser: bytes in, from the socket, in pieces that end anywhere. */
interface Parser {
  /** 0 between two operations. */
  readonly state: number;
  parse(bytes: Uint8Array): void;
}

/** What of the client library's inside is relied on; see docs/decisions/0020. */
interface Inside {
  readonly protocol?: { readonly parser?: Partial<Parser>; inMsgs?: number; inBytes?: number };
}

const NEWLINE = 10;
const RETURN = 13;
const SPACE = 32;
const DOT = 46;
const ZERO = 48;
const NINE = 57;
const H = 72;
const M = 77;
const NONE = Buffer.alloc(0);

type OpenLane = Omit<Lane, 'replyPrefix'> & { readonly prefix: Buffer };

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= ZERO && byte <= NINE;

/**
 * Stands before a connection's parser, cuts the stream into whole operations, and takes those out that are records of a
 * lane; all others, and whatever looks unusual, go on to the parser as they came.
 */
class LaneParser {
  readonly #lanes = new Map<number, OpenLane>();
  readonly #parse: (bytes: Uint8Array) => void;
  /** Bytes of an operation that is not complete. */
  #rest: Buffer[] = [];
  #restLength = 0;
  /** Length of that operation, once it is known. */
  #needed = 0;
  /** Whether the parser stands between two operations, so that cutting may begin. */
  #aligned = false;
  #parsing = false;
  // The number that was read last, and where it ended: an object a number would cost more than reading it.
  #number = 0;
  #at = 0;

  constructor(
    private readonly parser: Parser,
    private readonly counted: { inMsgs?: number; inBytes?: number },
    private readonly onEmpty: () => void,
  ) {
    this.#parse = parser.parse.bind(parser);
    parser.parse = (bytes) => this.#received(bytes);
  }

  add({ sid, replyPrefix, onRecord }: Lane): void {
    this.#lanes.set(sid, { sid, prefix: Buffer.from(replyPrefix), onRecord });
  }

  remove(sid: number): void {
    this.#lanes.delete(sid);
    if (!this.#parsing) this.#leaveWhenEmpty();
  }

  #leaveWhenEmpty(): void {
    if (this.#lanes.size > 0) return;
    this.onEmpty();
    const rest = Buffer.concat(this.#rest);
    this.#rest = [];
    // An own property: without it the parser has its method back.
    delete (this.parser as Partial<Parser>).parse;
    if (rest.length > 0) this.#parse(rest);
  }

  #received(bytes: Uint8Array): void {
    this.#parsing = true;
    try {
      if (!this.#aligned) {
        this.#aligned = this.parser.state === 0;
        if (!this.#aligned) {
          this.#parse(bytes);
          this.#aligned = this.parser.state === 0;
          return;
        }
      }
      const chunk = Buffer.isBuffer(bytes)
        ? bytes
        : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      this.#rest.push(chunk);
      this.#restLength += chunk.length;
      // A large record comes in many pieces: joined once, when it is whole.
      if (this.#restLength < this.#needed) return;
      const whole = this.#rest.length === 1 ? chunk : Buffer.concat(this.#rest, this.#restLength);
      const used = this.#cut(whole);
      const left = used === 0 ? whole : used === whole.length ? NONE : whole.subarray(used);
      this.#rest = left.length === 0 ? [] : [left];
      this.#restLength = left.length;
    } finally {
      this.#parsing = false;
      this.#leaveWhenEmpty();
    }
  }

  /** Deals with the whole operations; returns where the first one begins that is not complete. */
  #cut(bytes: Buffer): number {
    let at = 0;
    let others = -1;
    this.#needed = 0;
    while (at < bytes.length) {
      let end = this.#record(bytes, at, others);
      if (end > 0) {
        others = -1;
      } else {
        end = this.#endOf(bytes, at);
        if (end < 0) break;
        if (others < 0) others = at;
      }
      at = end;
    }
    if (others >= 0) this.#parse(bytes.subarray(others, at));
    return at;
  }

  /**
   * Delivers the operation at `from` if it is a whole record of a lane, and returns its end; else 0. Operations before it
   * that are the parser's, from `others` on, go there first: a consumer's records and notices keep their order.
   */
  #record(bytes: Buffer, from: number, others: number): number {
    const first = bytes[from];
    if (first !== H && first !== M) return 0;
    const subjectFrom = from + (first === H ? 5 : 4);
    let at = subjectFrom;
    while (at < bytes.length && bytes[at] !== SPACE) at += 1;
    const subjectTo = at;
    if (!this.#reads(bytes, at + 1, SPACE)) return 0;
    const lane = this.#lanes.get(this.#number);
    if (lane === undefined) return 0;
    const { prefix } = lane;
    const replyFrom = this.#at;
    for (let i = 0; i < prefix.length; i++) if (bytes[replyFrom + i] !== prefix[i]) return 0;
    if (!this.#reads(bytes, replyFrom + prefix.length, DOT)) return 0;
    const seq = this.#number;
    if (!this.#reads(bytes, this.#at, DOT)) return 0;
    const delivered = this.#number;
    const nanosFrom = this.#at;
    at = nanosFrom;
    while (isDigit(bytes[at])) at += 1;
    const nanosTo = at;
    if (bytes[at] !== DOT || !this.#reads(bytes, at + 1, SPACE)) return 0;
    const pending = this.#number;
    const replyLength = this.#at - 1 - replyFrom;
    let headers = 0;
    if (first === H) {
      if (!this.#reads(bytes, this.#at, SPACE)) return 0;
      headers = this.#number;
    }
    if (!this.#reads(bytes, this.#at, RETURN)) return 0;
    const total = this.#number;
    // Behind the newline.
    const body = this.#at + 1;
    const end = body + total + 2;
    if (end > bytes.length) return 0;
    if (others >= 0) this.#parse(bytes.subarray(others, from));
    if (this.counted.inMsgs !== undefined) this.counted.inMsgs += 1;
    if (this.counted.inBytes !== undefined) this.counted.inBytes += total;
    lane.onRecord(
      new WireRecord(
        seq,
        bytes,
        subjectFrom,
        subjectTo,
        nanosFrom,
        nanosTo,
        body,
        body + headers,
        body + total,
      ),
      delivered,
      pending,
      subjectTo - subjectFrom + replyLength + total,
    );
    return end;
  }

  /** Reads digits that end with `terminator` into `#number`; `#at` is then behind it. */
  #reads(bytes: Buffer, from: number, terminator: number): boolean {
    let value = 0;
    let at = from;
    let byte = bytes[at] as number;
    while (byte >= ZERO && byte <= NINE) {
      value = value * 10 + (byte - ZERO);
      at += 1;
      byte = bytes[at] as number;
    }
    this.#number = value;
    this.#at = at + 1;
    return at > from && byte === terminator;
  }

  /** End of the operation at `from`, or -1 while it is not whole; then `#needed` says how long it is, where it can. */
  #endOf(bytes: Buffer, from: number): number {
    const newline = bytes.indexOf(NEWLINE, from);
    if (newline < 0) return -1;
    if (bytes[from] !== H && bytes[from] !== M) return newline + 1;
    // `MSG` and `HMSG` end with the length of what follows.
    const space = bytes.lastIndexOf(SPACE, newline);
    if (!this.#reads(bytes, space + 1, RETURN)) return newline + 1;
    const end = newline + 1 + this.#number + 2;
    if (end <= bytes.length) return end;
    this.#needed = end - from;
    return -1;
  }
}

const parsers = new WeakMap<Partial<Parser>, LaneParser>();

/**
 * Has the records of one consumer read straight from the connection's bytes, at less than half the cost of the client
 * library's way; the rest of what comes on the connection is not touched. Returns what ends that. Where the library is
 * not built as expected, nothing happens and all records come to the subscription, where those come anyway that were
 * delivered in an unusual form: whoever opens a lane deals with both. A reconnect ends it.
 */
export const openLane = (nc: NatsConnection, lane: Lane): (() => void) => {
  const { protocol } = nc as Inside;
  const parser = protocol?.parser;
  if (protocol === undefined || typeof parser?.parse !== 'function' || typeof parser.state !== 'number')
    return () => undefined;
  let lanes = parsers.get(parser);
  if (lanes === undefined) {
    lanes = new LaneParser(parser as Parser, protocol, () => parsers.delete(parser));
    parsers.set(parser, lanes);
  }
  const opened = lanes;
  opened.add(lane);
  return () => opened.remove(lane.sid);
};
