import { type AccountTraffic, nextBalance, type TrafficBalance, unseenFlood } from './unseen-traffic.js';

/** Between two looks, milliseconds; after a look that found a module above what it may send, a shorter time. */
const LOOK_MS = 1_000;
const SOON_MS = 100;

export interface TrafficWatchOptions {
  readonly modules: () => readonly string[];
  /** What the server has had from these accounts. Rejects if it does not tell. */
  readonly received: (accounts: readonly string[]) => Promise<ReadonlyMap<string, AccountTraffic>>;
  readonly seen: (module: string) => AccountTraffic;
  /** Records that the log has and `seen` does not count yet, after a moment in which it could. */
  readonly unread: () => Promise<number>;
  readonly cut: (module: string, what: string) => void;
  /** It looks now: others may look too. */
  readonly looks?: () => void;
}

/**
 * Compares what the server has had from modules with what the broker knows of it. The server answers some messages
 * itself, and drops others: those cost it time, and nothing else tells of them. It looks only while the log grows: a
 * broker at rest stays at rest (decision 0058).
 */
export class TrafficWatch {
  #balances: ReadonlyMap<string, TrafficBalance> = new Map();
  #lookedAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #isLooking = false;
  #isClosed = false;

  constructor(private readonly options: TrafficWatchOptions) {}

  /** Something happens: it is looked, unless it was a moment ago. */
  stirred(): void {
    if (this.#timer !== undefined || this.#isLooking || this.#isClosed) return;
    this.#lookIn(Math.max(0, this.#lookedAt + LOOK_MS - performance.now()));
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  /** Begins to count again. */
  forget(module: string): void {
    this.#balances = new Map([...this.#balances].filter(([name]) => name !== module));
  }

  #lookIn(ms: number): void {
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#isLooking = true;
      void this.#look()
        // A server that does not tell is asked again after the next record.
        .catch(() => false)
        .then((isSoon) => {
          this.#isLooking = false;
          if (isSoon && !this.#isClosed) this.#lookIn(SOON_MS);
        });
    }, ms).unref();
  }

  /** Whether to look again soon. */
  async #look(): Promise<boolean> {
    const { modules, received, unread, cut } = this.options;
    this.#lookedAt = performance.now();
    this.options.looks?.();
    const names = modules();
    if (names.length === 0) return false;
    const traffic = await received(names);
    const now = performance.now();
    let balances = this.#balanced(traffic, now);
    let behind = 0;
    if (this.#floods(balances, behind).length > 0) {
      // The broker may read the log later than the server writes it.
      behind = await unread();
      balances = this.#balanced(traffic, now);
    }
    this.#balances = balances;
    for (const [module, what] of this.#floods(balances, behind)) cut(module, what);
    return [...balances.values()].some(({ above }) => above.msgs > 0 || above.bytes > 0);
  }

  #balanced(traffic: ReadonlyMap<string, AccountTraffic>, now: number): ReadonlyMap<string, TrafficBalance> {
    return new Map(
      [...traffic].map(([module, received]) => [
        module,
        nextBalance(this.#balances.get(module), received, this.options.seen(module), now),
      ]),
    );
  }

  #floods(
    balances: ReadonlyMap<string, TrafficBalance>,
    unread: number,
  ): readonly (readonly [string, string])[] {
    return [...balances].flatMap(([module, balance]) => {
      const what = unseenFlood(balance, unread);
      return what === undefined ? [] : [[module, what] as const];
    });
  }
}
