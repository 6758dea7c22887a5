/** A number of places; who finds none waits in order. */
export class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(places: number) {
    this.#free = places;
  }

  take(begin: () => void): void {
    if (this.#free > 0) {
      this.#free -= 1;
      begin();
    } else {
      this.#waiting.push(begin);
    }
  }

  give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free += 1;
    else next();
  }
}
