import type { RawRecord } from '../../schemas/record.js';

/** The fields of a record in a backup of nats-server 2.15. None of them needs the server. */
interface Entry {
  readonly name: Uint8Array;
  readonly nanos: bigint;
  readonly seq: number;
  readonly headers: Uint8Array;
  readonly data: Uint8Array;
}

const MAGIC = Buffer.from('NATSARC1');
const NONE = new Uint8Array(0);
/** More than the five numbers of an entry need. */
const NUMBERS_BYTES = 50;

const LOW = 0x7f;
const MORE = 0x80;

/** Seven bits a byte, the lowest first. Returns the end. */
const putUnsigned = (into: Buffer, at: number, value: number): number => {
  let [rest, end] = [value, at];
  while (rest > LOW) {
    into[end++] = (rest % 128) | MORE;
    rest = Math.floor(rest / 128);
  }
  into[end++] = rest;
  return end;
};

/** As above, with the sign in the lowest bit. */
const putSigned = (into: Buffer, at: number, value: bigint): number => {
  let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n));
  let end = at;
  while (rest > 0x7fn) {
    into[end++] = Number(rest & 0x7fn) | MORE;
    rest >>= 7n;
  }
  into[end++] = Number(rest);
  return end;
};

const encode = ({ name, nanos, seq, headers, data }: Entry): Buffer => {
  const entry = Buffer.allocUnsafe(NUMBERS_BYTES + name.length + headers.length + data.length);
  let at = putUnsigned(entry, 0, name.length);
  at = putSigned(entry, at, nanos);
  at = putUnsigned(entry, at, seq);
  at = putUnsigned(entry, at, headers.length);
  at = putUnsigned(entry, at, data.length);
  for (const part of [name, headers, data]) {
    entry.set(part, at);
    at += part.length;
  }
  return entry.subarray(0, at);
};

export const encodeRecord = ({ seq, nanos, subjectBytes, headerBytes, data }: RawRecord): Buffer =>
  encode({ name: subjectBytes, nanos: BigInt(nanos), seq, headers: headerBytes, data });

/** The description of the stream, before its records. */
export interface RestoredState {
  readonly messages: number;
  readonly bytes: number;
  readonly first_seq: number;
  readonly last_seq: number;
  readonly consumer_count: 0;
}

/** Magic bytes and the entry before the records. */
export const encodeStart = (state: RestoredState): Buffer =>
  Buffer.concat([
    MAGIC,
    encode({
      name: Buffer.from('state.json'),
      nanos: 0n,
      seq: 0,
      headers: NONE,
      data: Buffer.from(JSON.stringify(state)),
    }),
  ]);

/** Marks the backup as complete. */
export const encodeEnd = (): Buffer => encode({ name: NONE, nanos: 0n, seq: 0, headers: NONE, data: NONE });

/** Bytes of the server's file store for a record besides its parts, and for the length of its headers. */
const STORED_OVERHEAD_BYTES = 30;
const HEADERS_LENGTH_BYTES = 4;

/** Bytes that a record counts in the limit of the stream. Source: nats-server, fileStoreMsgSizeRaw. */
export const storedBytes = ({ subjectBytes, headerBytes, data }: RawRecord): number =>
  STORED_OVERHEAD_BYTES +
  (headerBytes.length === 0 ? 0 : HEADERS_LENGTH_BYTES) +
  subjectBytes.length +
  headerBytes.length +
  data.length;
