import { checksum } from './checksum.js';

/**
 * How a snapshot lies in LMDB, little-endian and padded to whole words:
 *
 * | at | what |
 * |---|---|
 * | 0 | checksum of all that follows, 32 bits |
 * | 4 | format of this layout, 16 bits |
 * | 6 | schema version of the state, 16 bits; 0 where the state has been thinned out |
 * | 8 | sequence of the last record that changed it, float64 |
 * | 16 | when that was stored, milliseconds since 1970, float64 |
 * | 24 | how many snapshots of this agent were kept before, 32 bits |
 * | 28 | changes since the last one kept, 32 bits |
 * | 32 | bytes of their sequences, which follow at 40: differences, 7 bits a byte |
 * | 36 | bytes of the state, which follows them: JSON |
 */
const FORMAT = 1;
const HEAD_BYTES = 40;
const NONE = new Uint8Array(0);

/** The fields in front of a state. */
export interface SnapshotHead {
  /** Schema version of the state; 0 where only the sequences are left. */
  readonly schema: number;
  readonly seq: number;
  readonly timeMs: number;
  /** Snapshots of this agent that were kept before. */
  readonly chunk: number;
  /** Changes since the last snapshot that was kept. */
  readonly changes: number;
}

const bytesOf = (sequences: readonly number[], last: number): number[] => {
  const bytes: number[] = [];
  let before = last;
  for (const seq of sequences) {
    let rest = seq - before;
    before = seq;
    while (rest >= 128) {
      bytes.push((rest % 128) + 128);
      rest = Math.floor(rest / 128);
    }
    bytes.push(rest);
  }
  return bytes;
};

/** A snapshot with these sequences, behind those of `before`, where that is what it follows. */
export const encodeSnapshot = (
  head: Omit<SnapshotHead, 'changes'>,
  sequences: readonly number[],
  state: Uint8Array,
  before?: SnapshotView,
): Buffer => {
  const earlier = before?.tail() ?? NONE;
  const tail = bytesOf(sequences, earlier.length === 0 ? 0 : (before?.seq ?? 0));
  const tailBytes = earlier.length + tail.length;
  const length = (HEAD_BYTES + tailBytes + state.length + 3) & ~3;
  const value = wordAligned(length);
  // Memory that is not cleared: what lies behind the state, up to a whole word, is part of the checksum.
  value.writeUInt32LE(0, length - 4);
  value.writeUInt16LE(FORMAT, 4);
  value.writeUInt16LE(head.schema, 6);
  value.writeDoubleLE(head.seq, 8);
  value.writeDoubleLE(head.timeMs, 16);
  value.writeUInt32LE(head.chunk, 24);
  value.writeUInt32LE((before?.changes ?? 0) + sequences.length, 28);
  value.writeUInt32LE(tailBytes, 32);
  value.writeUInt32LE(state.length, 36);
  value.set(earlier, HEAD_BYTES);
  value.set(tail, HEAD_BYTES + earlier.length);
  value.set(state, HEAD_BYTES + tailBytes);
  value.writeUInt32LE(checksum(wordsOf(value, length), 1, length >> 2), 0);
  return value;
};

/** From Node's pool, where each buffer begins at a word; a separate buffer costs three times as much. */
const wordAligned = (length: number): Buffer => {
  const pooled = Buffer.allocUnsafe(length);
  return (pooled.byteOffset & 3) === 0 ? pooled : Buffer.allocUnsafeSlow(length);
};

/** Whole words of bytes that begin at a word. */
const wordsOf = ({ buffer, byteOffset }: Uint8Array, length: number): Uint32Array =>
  new Uint32Array(buffer, byteOffset, length >> 2);

/**
 * Reads snapshots from one buffer after the other, without copying them. LMDB hands out the same buffer again and
 * again, so the views on it are made once. What it was given last is what its fields are of.
 */
export class SnapshotView {
  #given: Buffer | undefined;
  #bytes: Buffer = Buffer.alloc(0);
  #words: Uint32Array = new Uint32Array(0);
  #doubles: Float64Array = new Float64Array(0);

  /** Takes a value; false when it is damaged. */
  take(bytes: Buffer): boolean {
    if (bytes !== this.#given) this.#look(bytes);
    const { length } = bytes;
    const words = this.#words;
    if (length < HEAD_BYTES || (length & 3) !== 0) return false;
    if (words[0] !== checksum(words, 1, length >> 2)) return false;
    return ((words[1] as number) & 0xffff) === FORMAT && this.#stateAt() + this.stateBytes <= length;
  }

  /** Whether a value can be the one that had this checksum: nothing else of it is read. */
  hasChecksum(bytes: Buffer, checksumOf: number): boolean {
    if (bytes !== this.#given) this.#look(bytes);
    return bytes.length >= HEAD_BYTES && this.#words[0] === checksumOf;
  }

  get checksum(): number {
    return this.#words[0] as number;
  }

  get schema(): number {
    return (this.#words[1] as number) >>> 16;
  }

  get seq(): number {
    return this.#doubles[1] as number;
  }

  get timeMs(): number {
    return this.#doubles[2] as number;
  }

  get chunk(): number {
    return this.#words[6] as number;
  }

  get changes(): number {
    return this.#words[7] as number;
  }

  get stateBytes(): number {
    return this.#words[9] as number;
  }

  get head(): SnapshotHead {
    const { schema, seq, timeMs, chunk, changes } = this;
    return { schema, seq, timeMs, chunk, changes };
  }

  /** Those sequences as they lie there, for a snapshot that follows this one; valid as long as the buffer is. */
  tail(): Uint8Array {
    return this.#bytes.subarray(HEAD_BYTES, this.#stateAt());
  }

  /** Sequences of the changes since the last snapshot that was kept, in order. */
  sequences(): number[] {
    const sequences: number[] = [];
    let seq = 0;
    let [difference, factor] = [0, 1];
    const end = HEAD_BYTES + (this.#words[8] as number);
    for (let at = HEAD_BYTES; at < end; at++) {
      const byte = this.#bytes[at] as number;
      difference += (byte & 127) * factor;
      factor *= 128;
      if (byte >= 128) continue;
      seq += difference;
      sequences.push(seq);
      [difference, factor] = [0, 1];
    }
    return sequences;
  }

  /** The state as it was written, JSON. */
  json(): string {
    const at = this.#stateAt();
    return this.#bytes.toString('utf8', at, at + this.stateBytes);
  }

  /** The bytes of the state, in separate memory. */
  state(): Buffer {
    const at = this.#stateAt();
    return Buffer.from(this.#bytes.subarray(at, at + this.stateBytes));
  }

  #stateAt(): number {
    return HEAD_BYTES + (this.#words[8] as number);
  }

  #look(bytes: Buffer): void {
    this.#given = bytes;
    const isAligned = (bytes.byteOffset & 7) === 0;
    const { buffer, byteOffset } = isAligned ? bytes : Buffer.from(bytes);
    // The buffer that LMDB reads into claims to be as long as its last value, and is longer.
    const room = isAligned ? buffer.byteLength - byteOffset : bytes.length;
    this.#bytes = Buffer.from(buffer, byteOffset, room);
    this.#words = new Uint32Array(buffer, byteOffset, room >> 2);
    this.#doubles = new Float64Array(buffer, byteOffset, room >> 3);
  }
}
