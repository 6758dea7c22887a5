/** For so long one who has asked counts as one of those that ask, milliseconds. */
const ASKING_MS = 1_000;

const NOT_YET = { who: '', at: Number.NEGATIVE_INFINITY };

/** Who asked last, and the last other one. */
export class LastAsked {
  #latest = NOT_YET;
  #before = NOT_YET;

  asks(who: string, at: number): void {
    if (who !== this.#latest.who) this.#before = this.#latest;
    this.#latest = { who, at };
  }

  /** Whether no other one has asked lately. */
  isAlone(who: string, now: number): boolean {
    const other = this.#latest.who === who ? this.#before : this.#latest;
    return now - other.at > ASKING_MS;
  }
}
