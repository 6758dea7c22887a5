/** Sequences that one chunk has a bit for. */
const CHUNK = 4_096;

interface Chunk {
  readonly bits: Uint32Array;
  count: number;
}

/**
 * A set of sequences that takes a bit each where they lie close together: millions of them are in a few MB, where a
 * `Set` of numbers has forty bytes for each.
 */
export class SparseSequences {
  readonly #chunks = new Map<number, Chunk>();
  #size = 0;
  #lowest = Number.POSITIVE_INFINITY;
  #highest = 0;

  get size(): number {
    return this.#size;
  }

  /** The lowest that was ever added; Infinity without any. */
  get lowest(): number {
    return this.#lowest;
  }

  /** The highest that was ever added; 0 without any. */
  get highest(): number {
    return this.#highest;
  }

  has(seq: number): boolean {
    const chunk = this.#chunks.get(Math.floor(seq / CHUNK));
    if (chunk === undefined) return false;
    const at = seq % CHUNK;
    return ((chunk.bits[at >> 5] as number) & (1 << (at & 31))) !== 0;
  }

  /** `seq`: a whole number from 0 on. */
  add(seq: number): void {
    const index = Math.floor(seq / CHUNK);
    let chunk = this.#chunks.get(index);
    if (chunk === undefined) {
      chunk = { bits: new Uint32Array(CHUNK / 32), count: 0 };
      this.#chunks.set(index, chunk);
    }
    const at = seq % CHUNK;
    const bit = 1 << (at & 31);
    const word = chunk.bits[at >> 5] as number;
    if ((word & bit) !== 0) return;
    chunk.bits[at >> 5] = word | bit;
    chunk.count += 1;
    this.#size += 1;
    this.#lowest = Math.min(this.#lowest, seq);
    this.#highest = Math.max(this.#highest, seq);
  }

  /** Whether it was in the set. */
  delete(seq: number): boolean {
    if (!this.has(seq)) return false;
    const index = Math.floor(seq / CHUNK);
    const chunk = this.#chunks.get(index) as Chunk;
    const at = seq % CHUNK;
    chunk.bits[at >> 5] = (chunk.bits[at >> 5] as number) & ~(1 << (at & 31));
    chunk.count -= 1;
    this.#size -= 1;
    if (chunk.count === 0) this.#chunks.delete(index);
    return true;
  }
}
