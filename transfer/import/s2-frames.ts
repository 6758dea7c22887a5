import { crc32c } from './crc32c.js';

/**
 * The frames of S2 (Snappy's framing with larger chunks), the format of the server's backups. Chunks are not
 * compressed: they go from one process to another on the same machine. See docs/decisions/0030.
 */
export const S2_START = Buffer.from([0xff, 0x06, 0x00, 0x00, ...Buffer.from('S2sTwO')]);

const UNCOMPRESSED = 0x01;
const MASK = 0xa282ead8;
const CHECKSUM_BYTES = 4;
const HEAD_BYTES = 4;

/** The server takes 4 MiB in a chunk; smaller ones fit in a message. */
export const MAX_CHUNK_BYTES = 256 * 1024;

/** One chunk with its checksum, masked as the format requires. */
export const s2Chunk = (data: Uint8Array): Buffer => {
  const chunk = Buffer.allocUnsafe(HEAD_BYTES + CHECKSUM_BYTES + data.length);
  chunk[0] = UNCOMPRESSED;
  chunk.writeUIntLE(data.length + CHECKSUM_BYTES, 1, 3);
  const crc = crc32c(data);
  chunk.writeUInt32LE((((crc >>> 15) | (crc << 17)) + MASK) >>> 0, HEAD_BYTES);
  chunk.set(data, HEAD_BYTES + CHECKSUM_BYTES);
  return chunk;
};
