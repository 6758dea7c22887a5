/**
 * A ring for one writer and one reader in two processes. Both see the same bytes: two positions, then the ring. A
 * message is four bytes of length and its bytes, padded to four. Positions count bytes since the start, and wrap
 * at 2^32.
 */
export interface Ring {
  /** False: there is no room for it now. */
  readonly write: (message: Uint8Array) => boolean;
  /** Handles the next message; false: there is none. The bytes are those of the ring. */
  readonly read: (handle: (message: Uint8Array) => void) => boolean;
}

/** Writer and reader have a cache line each. */
const WRITTEN = 0;
const READ = 16;
const HEADER_BYTES = 128;
const LENGTH_BYTES = 4;
/** In place of a length: the rest up to the end of the ring is empty. */
const SKIP = 0xffffffff;

const padded = (bytes: number): number => (bytes + 3) & ~3;

/** Bytes of shared memory for a ring that holds so many; a power of two. */
export const ringBytes = (capacity: number): number => HEADER_BYTES + capacity;

export const openRing = (memory: ArrayBuffer, offset: number, capacity: number): Ring => {
  if ((capacity & (capacity - 1)) !== 0) throw new RangeError(`${capacity} is no power of two`);
  const positions = new Uint32Array(memory, offset, HEADER_BYTES / 4);
  const words = new Uint32Array(memory, offset + HEADER_BYTES, capacity / 4);
  const bytes = new Uint8Array(memory, offset + HEADER_BYTES, capacity);
  const at = (position: number): number => position & (capacity - 1);
  return {
    write: (message) => {
      const need = LENGTH_BYTES + padded(message.length);
      const written = Atomics.load(positions, WRITTEN);
      const free = capacity - ((written - Atomics.load(positions, READ)) >>> 0);
      const start = at(written);
      const toEnd = capacity - start;
      const skipped = toEnd < need ? toEnd : 0;
      if (free < skipped + need) return false;
      if (skipped > 0) words[start >> 2] = SKIP;
      const place = skipped > 0 ? 0 : start;
      words[place >> 2] = message.length;
      bytes.set(message, place + LENGTH_BYTES);
      Atomics.store(positions, WRITTEN, (written + skipped + need) >>> 0);
      return true;
    },
    read: (handle) => {
      const read = Atomics.load(positions, READ);
      if (read === Atomics.load(positions, WRITTEN)) return false;
      const start = at(read);
      const first = words[start >> 2] as number;
      const skipped = first === SKIP ? capacity - start : 0;
      const place = skipped > 0 ? 0 : start;
      const length = words[place >> 2] as number;
      handle(bytes.subarray(place + LENGTH_BYTES, place + LENGTH_BYTES + length));
      Atomics.store(positions, READ, (read + skipped + LENGTH_BYTES + padded(length)) >>> 0);
      return true;
    },
  };
};
