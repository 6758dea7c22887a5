/**
 * A map of sequences that forgets the oldest beyond a number. A ring says which that is: the first key of a `Map` is
 * found by a walk over all that were deleted before it, which took most of the time of reading the log.
 */
export class Recent<Value> {
  readonly #values = new Map<number, Value>();
  readonly #ring: Float64Array;
  #next = 0;

  constructor(limit: number) {
    this.#ring = new Float64Array(limit);
  }

  get(seq: number): Value | undefined {
    return this.#values.get(seq);
  }

  set(seq: number, value: Value): void {
    this.#values.delete(this.#ring[this.#next] as number);
    this.#ring[this.#next] = seq;
    this.#next = (this.#next + 1) % this.#ring.length;
    this.#values.set(seq, value);
  }

  delete(seq: number): void {
    this.#values.delete(seq);
  }
}
