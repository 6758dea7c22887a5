import type { NatsConnection } from 'nats';
import { DeliveryLine, Prefix } from './delivery-line.js';
import { sayThrown } from '../../link/callback-faults.js';
import { type Parser, patchable } from '../../link/client-insides.js';
import { WireRecord } from '../wire/wire-record.js';
import { wordsOf } from '../wire/byte-words.js';

/** One subscription's deliveries from one consumer. */
export interface FastLane {
  /** The subscription's id on the connection. */
  readonly sid: number;
  /** What the reply subject of each delivery begins with, up to the sequence. */
  readonly replyPrefix: string;
  /** `size` is what the message counts for in the bytes of a pull: subject, reply, headers and payload. */
  readonly onRecord: (record: WireRecord, delivered: number, pending: number, size: number) => void;
  /** `onRecord` threw. The lane is closed, since a record is missing; the connection and all other lanes continue. */
  readonly onThrown: (thrown: unknown) => void;
}

const NEWLINE = 10;
const SPACE = 32;
const H = 72;
const M = 77;
/** Taken of a chunk at first where an operation began in the one before, and its first line is not whole. */
const FIRST_TAKE = 1_024;

type OpenLane = Omit<FastLane, 'replyPrefix'> & { readonly prefix: Prefix };

/**
 * Stands before a connection's parser, cuts the stream into whole operations, and takes those out that are records of a
 * lane; all others, and whatever looks unusual, are passed to the parser unchanged.
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
  /** The bytes that are being cut, to be read several at a time. */
  #words = wordsOf(Buffer.alloc(0));
  readonly #line = new DeliveryLine();

  constructor(
    private readonly parser: Parser,
    private readonly counted: { inMsgs?: number; inBytes?: number },
    private readonly onEmpty: () => void,
    private readonly say: (what: string, thrown: unknown) => void,
  ) {
    this.#parse = parser.parse.bind(parser);
    parser.parse = (bytes) => this.#received(bytes);
  }

  add({ sid, replyPrefix, onRecord, onThrown }: FastLane): void {
    this.#lanes.set(sid, { sid, prefix: new Prefix(replyPrefix), onRecord, onThrown });
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
      const from = this.#restLength === 0 ? 0 : this.#join(chunk);
      if (from < chunk.length) {
        const used = this.#cut(chunk, from);
        if (used < chunk.length) this.#keep(used === 0 ? chunk : chunk.subarray(used));
      }
    } finally {
      this.#parsing = false;
      this.#leaveWhenEmpty();
    }
  }

  #keep(bytes: Buffer): void {
    this.#rest.push(bytes);
    this.#restLength += bytes.length;
  }

  /**
   * Completes the operation that began before this chunk, with no more of it than that takes: to join all would copy
   * each byte that comes. Returns where the next operation begins; the end of the chunk where all of it is kept. What
   * comes in many pieces is joined once, when it is whole.
   */
  #join(chunk: Buffer): number {
    const lacking = (): number => this.#needed - this.#restLength;
    let take = this.#needed > 0 ? lacking() : Math.min(FIRST_TAKE, chunk.length);
    while (take <= chunk.length) {
      const length = this.#restLength + take;
      const used = this.#cut(Buffer.concat([...this.#rest, chunk.subarray(0, take)], length), 0);
      if (used > 0) {
        const next = used - this.#restLength;
        this.#rest = [];
        this.#restLength = 0;
        return next;
      }
      if (this.#needed > 0) take = lacking();
      else if (take < chunk.length) take = chunk.length;
      else break;
    }
    this.#keep(chunk);
    return chunk.length;
  }

  /** Deals with the whole operations from `from` on; returns where the first one begins that is not complete. */
  #cut(bytes: Buffer, from: number): number {
    let at = from;
    let others = -1;
    this.#needed = 0;
    this.#words = wordsOf(bytes);
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
   * Delivers the operation at `from` if it is a whole record of a lane, and returns its end; else 0. Operations
   * before it that are the parser's, from `others` on, go there first: a consumer's records and notices keep their
   * order.
   */
  #record(bytes: Buffer, from: number, others: number): number {
    const line = this.#line;
    if (!line.begins(bytes, this.#words, from)) return 0;
    const lane = this.#lanes.get(line.sid);
    if (lane === undefined || !line.goesOn(bytes, this.#words, lane.prefix)) return 0;
    const { seq, delivered, pending, subjectFrom, subjectTo, headersFrom, dataFrom, dataTo } = line;
    const end = dataTo + 2;
    if (end > bytes.length) return 0;
    if (others >= 0) this.#parse(bytes.subarray(others, from));
    if (this.counted.inMsgs !== undefined) this.counted.inMsgs += 1;
    if (this.counted.inBytes !== undefined) this.counted.inBytes += dataTo - headersFrom;
    const { nanosFrom, nanosTo } = line;
    try {
      lane.onRecord(
        new WireRecord(seq, bytes, subjectFrom, subjectTo, nanosFrom, nanosTo, headersFrom, dataFrom, dataTo),
        delivered,
        pending,
        subjectTo - subjectFrom + line.replyLength + dataTo - headersFrom,
      );
    } catch (thrown) {
      this.#threw(lane, thrown);
    }
    return end;
  }

  /** What came out of here would end the client's read loop: this process would hear nothing for many seconds. */
  #threw(lane: OpenLane, thrown: unknown): void {
    this.#lanes.delete(lane.sid);
    this.say(`what takes the records of subscription ${lane.sid}`, thrown);
    try {
      lane.onThrown(thrown);
    } catch (again) {
      this.say(`what ends the reading of subscription ${lane.sid}`, again);
    }
  }

  /** End of the operation at `from`, or -1 while it is not whole; then `#needed` says how long it is, where it can. */
  #endOf(bytes: Buffer, from: number): number {
    const newline = bytes.indexOf(NEWLINE, from);
    if (newline < 0) return -1;
    if (bytes[from] !== H && bytes[from] !== M) return newline + 1;
    // `MSG` and `HMSG` end with the length of what follows.
    const space = bytes.lastIndexOf(SPACE, newline);
    const length = bytes.toString('latin1', space + 1, newline - 1);
    if (!/^\d+$/.test(length)) return newline + 1;
    const end = newline + 1 + Number(length) + 2;
    if (end <= bytes.length) return end;
    this.#needed = end - from;
    return -1;
  }
}

const parsers = new WeakMap<Partial<Parser>, LaneParser>();

/**
 * Has the records of one consumer read straight from the connection's bytes, at less than half the cost of the client
 * library's way; the rest of what comes on the connection is not touched. Returns what ends that. Nothing happens on a
 * connection that we did not open, and where the library is not built as expected: then all records come to the
 * subscription. Records in an unusual form come there in any case, so the caller deals with both. A reconnect ends it.
 */
export const openLane = (nc: NatsConnection, lane: FastLane): (() => void) => {
  const protocol = patchable(nc);
  const parser = protocol?.parser;
  if (protocol === undefined || typeof parser?.parse !== 'function' || typeof parser.state !== 'number')
    return () => undefined;
  let lanes = parsers.get(parser);
  if (lanes === undefined) {
    const say = (what: string, thrown: unknown): void => sayThrown(nc, `${what} threw`, thrown);
    lanes = new LaneParser(parser as Parser, protocol, () => parsers.delete(parser), say);
    parsers.set(parser, lanes);
  }
  const opened = lanes;
  opened.add(lane);
  return () => opened.remove(lane.sid);
};
