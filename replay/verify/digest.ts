import { createHash, type Hash } from 'node:crypto';
import type { WireRecord } from '../../journal/wire/wire-record.js';
import { wordsOf } from '../../journal/wire/byte-words.js';
import type { RecordView } from './record-view.js';

/** Sequences of a segment: from a multiple of this, which is its first, on. Part of what a digest means. */
export const SEGMENT = 10_000;

/** A part of the range: its first sequence, whether or not a record is there, and the digest of its records. */
export type Segment = readonly [firstSeq: number, digest: string];

const HEAD_BYTES = 32;
/**
 * Records are gathered, and handed over to the hash together: a call each would cost more than the hashing. The bytes
 * that they came in are copied once, and the parts moved from there: within one buffer that costs a third, and makes
 * no garbage.
 */
const CHUNK_BYTES = 256 * 1024;
const GATHERED_BYTES = 2 * CHUNK_BYTES;
const UINT32 = 4_294_967_296;
const ZERO = 48;
const NANO_DIGITS = 9;

/**
 * SHA-256 of records, in segments of {@link SEGMENT} sequences; the digest of all is that of the segments' digests.
 * What bytes of a record count is said in docs/reference/replay.md, for programs in other languages.
 */
export class LogDigest {
  /** What is to be hashed, and behind it a copy of the bytes that the records came in. */
  readonly #memory = Buffer.allocUnsafe(GATHERED_BYTES + CHUNK_BYTES);
  readonly #view = wordsOf(this.#memory);
  #chunk: Buffer | undefined;
  #length = 0;
  #hash: Hash = createHash('sha256');
  readonly #all = createHash('sha256');
  readonly #segments: Segment[] = [];
  #segmentFrom = 0;
  #segmentTo = 0;

  constructor(private readonly fromSeq: number) {}

  /** Adds a record, and tells when it was stored: milliseconds since 1970. */
  add({ record, bytes, seq, headers }: RecordView): number {
    if (seq >= this.#segmentTo) this.#begin(seq);
    const { subjectFrom, subjectTo, headersFrom, dataFrom, dataTo } = record;
    const { storedTo } = headers;
    const total = HEAD_BYTES + (subjectTo - subjectFrom) + (storedTo - headersFrom) + (dataTo - dataFrom);
    if (this.#length + total > GATHERED_BYTES) this.#flush();
    const timeMs = this.#head(record, storedTo);
    if (bytes.length > CHUNK_BYTES) {
      this.#flush();
      this.#hash.update(bytes.subarray(subjectFrom, subjectTo));
      this.#hash.update(bytes.subarray(headersFrom, storedTo));
      this.#hash.update(bytes.subarray(dataFrom, dataTo));
      return timeMs;
    }
    if (bytes !== this.#chunk) {
      this.#memory.set(bytes, GATHERED_BYTES);
      this.#chunk = bytes;
    }
    const memory = this.#memory;
    let at = this.#length;
    memory.copyWithin(at, GATHERED_BYTES + subjectFrom, GATHERED_BYTES + subjectTo);
    at += subjectTo - subjectFrom;
    memory.copyWithin(at, GATHERED_BYTES + headersFrom, GATHERED_BYTES + storedTo);
    at += storedTo - headersFrom;
    memory.copyWithin(at, GATHERED_BYTES + dataFrom, GATHERED_BYTES + dataTo);
    this.#length = at + dataTo - dataFrom;
    return timeMs;
  }

  finish(): { readonly digest: string; readonly segments: readonly Segment[] } {
    this.#end();
    return { digest: this.#all.digest('hex'), segments: this.#segments };
  }

  /** What stands before a record's own bytes: sequence, time and lengths, big-endian. */
  #head(record: WireRecord, storedTo: number): number {
    const { seq, bytes, nanosFrom, nanosTo, subjectFrom, subjectTo, headersFrom, dataFrom, dataTo } = record;
    const point = nanosTo - NANO_DIGITS;
    let seconds = 0;
    let nanos = 0;
    for (let at = nanosFrom; at < point; at++) seconds = seconds * 10 + (bytes[at] as number) - ZERO;
    for (let at = point; at < nanosTo; at++) nanos = nanos * 10 + (bytes[at] as number) - ZERO;
    const view = this.#view;
    const at = this.#length;
    view.setUint32(at, seq / UINT32);
    view.setUint32(at + 4, seq >>> 0);
    view.setUint32(at + 8, seconds / UINT32);
    view.setUint32(at + 12, seconds >>> 0);
    view.setUint32(at + 16, nanos);
    view.setUint32(at + 20, subjectTo - subjectFrom);
    view.setUint32(at + 24, storedTo - headersFrom);
    view.setUint32(at + 28, dataTo - dataFrom);
    this.#length = at + HEAD_BYTES;
    return seconds * 1_000 + Math.floor(nanos / 1_000_000);
  }

  #begin(seq: number): void {
    this.#end();
    const index = Math.floor(seq / SEGMENT);
    this.#segmentFrom = Math.max(this.fromSeq, index * SEGMENT);
    this.#segmentTo = (index + 1) * SEGMENT;
    this.#hash = createHash('sha256');
  }

  #end(): void {
    if (this.#segmentTo === 0) return;
    this.#flush();
    const digest = this.#hash.digest();
    this.#all.update(digest);
    this.#segments.push([this.#segmentFrom, digest.toString('hex')]);
    this.#segmentTo = 0;
  }

  #flush(): void {
    if (this.#length > 0) this.#hash.update(this.#memory.subarray(0, this.#length));
    this.#length = 0;
  }
}
