interface PositionWait {
  readonly seq: number;
  readonly until: number;
  /** `at`: where the states stand; they have the sequence, or the time is over. */
  readonly settle: (at: number) => void;
}

const POLL_MS = 5;

/**
 * Waits until the states of a module have a sequence. Each module is looked at once for all that wait, so many waits
 * cost as little as one.
 */
export class PositionWaits {
  readonly #waits = new Map<string, PositionWait[]>();
  #timer: NodeJS.Timeout | undefined;
  #count = 0;

  /** `positionOf` throws nothing: a module without states stands at 0. */
  constructor(private readonly positionOf: (module: string) => number) {}

  /** Requests that wait. */
  get count(): number {
    return this.#count;
  }

  /** Resolves with the position: at `seq` or above, or below it when `waitMs` are over. */
  wait(module: string, seq: number, waitMs: number): Promise<number> {
    const at = this.positionOf(module);
    if (at >= seq) return Promise.resolve(at);
    return new Promise((settle) => {
      const waits = this.#waits.get(module) ?? [];
      waits.push({ seq, until: performance.now() + waitMs, settle });
      this.#waits.set(module, waits);
      this.#count += 1;
      this.#timer ??= setInterval(() => this.#look(), POLL_MS);
    });
  }

  #look(): void {
    const now = performance.now();
    for (const [module, waits] of this.#waits) {
      const at = this.positionOf(module);
      const rest = waits.filter(({ seq, until, settle }) => {
        const isOver = at >= seq || now >= until;
        if (isOver) settle(at);
        return !isOver;
      });
      this.#count -= waits.length - rest.length;
      if (rest.length === 0) this.#waits.delete(module);
      else this.#waits.set(module, rest);
    }
    if (this.#waits.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
