const WINDOW_MS = 1_000;

/** Counts what modules do, and finds one that does it more often in a second than a module ever must. */
export class FloodCount {
  readonly #counts = new Map<string, { since: number; count: number }>();

  constructor(
    private readonly most: number,
    private readonly now = (): number => performance.now(),
  ) {}

  /** Begins to count again. */
  forget(module: string): void {
    this.#counts.delete(module);
  }

  /** Counts once more, or as often as `weight` says; whether that is too often. */
  isFlood(module: string, weight = 1): boolean {
    const now = this.now();
    const known = this.#counts.get(module);
    if (known === undefined || now - known.since >= WINDOW_MS) {
      this.#counts.set(module, { since: now, count: weight });
      return weight > this.most;
    }
    known.count += weight;
    return known.count > this.most;
  }
}
