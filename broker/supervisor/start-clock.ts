/**
 * How long a start has brought nothing forward, milliseconds. A module that folds a long past is slow and not stuck:
 * each beat that says that more is folded begins the time again. What the broker itself needs to answer a start does
 * not count.
 */
export class StartClock {
  #since: number;
  #answering = 0;
  #folded = 0;
  /** Records of the past that the start was told of: no start brings more than these forward. */
  #records = 0;

  /** `now`: the clock of the process that starts, milliseconds. */
  constructor(private readonly now: () => number = () => performance.now()) {
    this.#since = now();
  }

  /** The module has asked for its epoch: from here on it waits for the broker. */
  asked(): void {
    this.#answering += 1;
  }

  /** The broker has answered; `records`: so many are to be folded, none where the answer was a refusal. */
  answered(records: number): void {
    this.#answering -= 1;
    this.#records = records;
    this.#folded = 0;
    this.#since = this.now();
  }

  /** The module says how many records of its past it has folded. */
  folded(records: number): void {
    if (records <= this.#folded || records > this.#records) return;
    this.#folded = records;
    this.#since = this.now();
  }

  get stillMs(): number {
    return this.#answering > 0 ? 0 : Math.max(0, this.now() - this.#since);
  }
}
