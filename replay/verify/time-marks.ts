const EVERY = 1_024;
/** The last so many are known exactly; a power of two. */
const RECENT = 65_536;

/**
 * When records were stored: exactly for the last of them, nearly for the rest, of which every 1,024th is remembered.
 */
export class TimeMarks {
  readonly #sequences: number[] = [];
  readonly #times: number[] = [];
  readonly #recent = new Float64Array(RECENT * 2);
  #left = 0;

  add(seq: number, timeMs: number): void {
    const at = (seq % RECENT) * 2;
    this.#recent[at] = seq;
    this.#recent[at + 1] = timeMs;
    if (this.#left > 0) {
      this.#left -= 1;
      return;
    }
    this.#left = EVERY - 1;
    this.#sequences.push(seq);
    this.#times.push(timeMs);
  }

  /** When a record was stored, milliseconds since 1970; not earlier than it was, and `nowMs` where nothing is known. */
  of(seq: number, nowMs: number): number {
    const at = (seq % RECENT) * 2;
    if (this.#recent[at] === seq) return this.#recent[at + 1] as number;
    let [low, high] = [0, this.#sequences.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#sequences[middle] as number) < seq) low = middle + 1;
      else high = middle;
    }
    return this.#times[low] ?? nowMs;
  }
}
