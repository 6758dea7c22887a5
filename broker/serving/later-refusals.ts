/**
 * Refusals come so much later, milliseconds: who asks again at once would take all of the broker's time with being
 * refused.
 */
export const REFUSED_AFTER_MS = 250;
/** For each of these that one connection has to come, its next one comes so much later again, up to the longest. */
const STEP = 1_000;
export const REFUSED_BY_MS = 4_000;
/** One refused request of so many bytes counts as one more. */
export const WEIGHED_BYTES = 16 * 1024;
/** What waits to be refused; above it a refusal goes out at once. */
const MOST = 100_000;
/** Refusals of so many milliseconds go out together: one timer for all of them, and not one for each. */
const TICK_MS = 50;
const SLICE_MS = 3;
const LOOK_EACH = 32;

interface LaterRefusal {
  readonly connection: string;
  readonly weight: number;
  readonly refuse: () => void;
}

/**
 * Refusals for who has too much on its way: each is sent, and none at once. The more a connection is refused, the
 * later it hears of it. So one who asks again at each refusal asks less and less often.
 */
export class LaterRefusals {
  /** What goes out at a tick, by its number. */
  readonly #ticks = new Map<number, LaterRefusal[]>();
  /** What waits, by connection. */
  readonly #held = new Map<string, number>();
  #waiting = 0;
  #isArmed = false;
  #next = 0;

  constructor(private readonly most = MOST) {}

  /** `refuse` must throw nothing. */
  add(refuse: () => void, connection = '', bytes = 0): void {
    if (this.#waiting >= this.most) return refuse();
    const held = this.#held.get(connection) ?? 0;
    const weight = 1 + Math.floor(bytes / WEIGHED_BYTES);
    const afterMs = Math.min(REFUSED_BY_MS, REFUSED_AFTER_MS * (1 + Math.floor(held / STEP)));
    const tick = Math.ceil((performance.now() + afterMs) / TICK_MS);
    const refusal = { connection, weight, refuse };
    const others = this.#ticks.get(tick);
    if (others === undefined) this.#ticks.set(tick, [refusal]);
    else others.push(refusal);
    this.#held.set(connection, held + weight);
    this.#waiting += 1;
    if (this.#isArmed) return;
    this.#next = tick;
    this.#arm();
  }

  #arm(): void {
    this.#isArmed = true;
    setTimeout(() => this.#send(), Math.max(0, this.#next * TICK_MS - performance.now()));
  }

  #send(): void {
    const now = performance.now();
    for (; this.#next * TICK_MS <= now; this.#next += 1) {
      const due = this.#ticks.get(this.#next) ?? [];
      const sent = this.#sendSome(due, now + SLICE_MS);
      if (sent < due.length) {
        // What others ask comes between.
        this.#ticks.set(this.#next, due.slice(sent));
        setImmediate(() => this.#send());
        return;
      }
      this.#ticks.delete(this.#next);
    }
    this.#isArmed = false;
    if (this.#waiting > 0) this.#arm();
  }

  /** Sends as many as there is time for; returns how many. */
  #sendSome(due: readonly LaterRefusal[], until: number): number {
    for (let i = 0; i < due.length; i++) {
      if (i % LOOK_EACH === LOOK_EACH - 1 && performance.now() > until) return i;
      this.#sendOne(due[i] as LaterRefusal);
    }
    return due.length;
  }

  #sendOne({ connection, weight, refuse }: LaterRefusal): void {
    const held = (this.#held.get(connection) ?? weight) - weight;
    if (held === 0) this.#held.delete(connection);
    else this.#held.set(connection, held);
    this.#waiting -= 1;
    refuse();
  }
}
