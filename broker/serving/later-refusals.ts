/**
 * Refusals come so much later, milliseconds: who asks again at once would take all of the broker's time with being
 * refused.
 */
export const REFUSED_AFTER_MS = 250;
/** What waits to be refused; above it a refusal goes out at once. */
const MOST = 20_000;

/** Refusals for who has too much on its way: each is sent, and none at once. */
export class LaterRefusals {
  #waiting = 0;

  constructor(private readonly most = MOST) {}

  /** `refuse` must throw nothing. */
  add(refuse: () => void): void {
    if (this.#waiting >= this.most) return refuse();
    this.#waiting += 1;
    setTimeout(() => {
      this.#waiting -= 1;
      refuse();
    }, REFUSED_AFTER_MS);
  }
}
