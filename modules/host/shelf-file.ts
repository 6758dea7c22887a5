import { closeSync, openSync, readSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirs } from '../../system/files/make-dirs.js';
import { WireRecord } from '../../journal/wire/wire-record.js';

/** Bytes before a record: all behind it, subject, nanoseconds, headers (4 each), and its sequence (8). */
const HEAD = 24;
const SEGMENT_BYTES = 16 * 1024 * 1024;
/** Places are numbers: which segment, and where in it. */
const SEGMENT_SPAN = 2 ** 32;

interface ShelfSegment {
  readonly fd: number;
  bytes: number;
  /** Records of it that were not taken. */
  left: number;
}

const encoded = (record: WireRecord): Buffer => {
  const { seq, bytes, subjectFrom, subjectTo, nanosFrom, nanosTo, headersFrom, dataFrom, dataTo } = record;
  const subject = bytes.subarray(subjectFrom, subjectTo);
  const nanos = bytes.subarray(nanosFrom, nanosTo);
  const rest = bytes.subarray(headersFrom, dataTo);
  const head = Buffer.allocUnsafe(HEAD);
  head.writeUInt32LE(subject.length + nanos.length + rest.length, 0);
  head.writeUInt32LE(subject.length, 4);
  head.writeUInt32LE(nanos.length, 8);
  head.writeUInt32LE(dataFrom - headersFrom, 12);
  head.writeDoubleLE(seq, 16);
  return Buffer.concat([head, subject, nanos, rest]);
};

/**
 * Records of the log that wait for their turn, in files: bytes as they came, read back one by one. The log has them
 * too, so that nothing depends on these files: they have no name as soon as they are open, and end with the process.
 */
export class ShelfFile {
  readonly #segments = new Map<number, ShelfSegment>();
  #last = -1;
  #bytes = 0;

  /** `dir`: made when the first record comes. `maxBytes`: of all files together. */
  constructor(
    private readonly dir: string,
    private readonly maxBytes: number,
  ) {}

  /** Bytes of the files. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Gives the place of a record; undefined where the files are as large as they may be. Throws what the file system
   * says.
   */
  put(record: WireRecord): number | undefined {
    const data = encoded(record);
    if (this.#bytes + data.length > this.maxBytes) return undefined;
    const segment = this.#open();
    const at = segment.bytes;
    // What a full disk took only in part is written over by the next.
    for (let done = 0; done < data.length; )
      done += writeSync(segment.fd, data, done, data.length - done, at + done);
    segment.bytes += data.length;
    this.#bytes += data.length;
    segment.left += 1;
    return this.#last * SEGMENT_SPAN + at;
  }

  /** The record at a place, once. Throws what the file system says. */
  take(place: number): WireRecord {
    const number = Math.floor(place / SEGMENT_SPAN);
    const segment = this.#segments.get(number);
    if (segment === undefined) throw new RangeError(`nothing lies at ${place}`);
    const at = place % SEGMENT_SPAN;
    const head = this.#read(segment, at, HEAD);
    const bytes = this.#read(segment, at + HEAD, head.readUInt32LE(0));
    const subjectTo = head.readUInt32LE(4);
    const nanosTo = subjectTo + head.readUInt32LE(8);
    segment.left -= 1;
    if (segment.left === 0) this.#drop(number, segment);
    return new WireRecord(
      head.readDoubleLE(16),
      bytes,
      0,
      subjectTo,
      subjectTo,
      nanosTo,
      nanosTo,
      nanosTo + head.readUInt32LE(12),
      bytes.length,
    );
  }

  close(): void {
    for (const { fd } of this.#segments.values()) closeSync(fd);
    this.#segments.clear();
    this.#bytes = 0;
  }

  #open(): ShelfSegment {
    const last = this.#segments.get(this.#last);
    if (last !== undefined && last.bytes < SEGMENT_BYTES) return last;
    makeDirs(this.dir);
    const path = join(this.dir, `${process.pid}.${this.#last + 1}`);
    const fd = openSync(path, 'w+', 0o600);
    unlinkSync(path);
    const segment = { fd, bytes: 0, left: 0 };
    this.#last += 1;
    this.#segments.set(this.#last, segment);
    return segment;
  }

  #read({ fd }: ShelfSegment, at: number, length: number): Buffer {
    const buffer = Buffer.allocUnsafe(length);
    for (let done = 0; done < length; ) {
      const got = readSync(fd, buffer, done, length - done, at + done);
      if (got === 0)
        throw new RangeError(`the file ends at ${at + done}, and ${length - done} bytes more are asked for`);
      done += got;
    }
    return buffer;
  }

  #drop(number: number, { fd, bytes }: ShelfSegment): void {
    closeSync(fd);
    this.#bytes -= bytes;
    this.#segments.delete(number);
  }
}
