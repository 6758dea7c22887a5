import type { KeptPosition, KeptPositions, SubscriptionKey } from '../streams/kept-positions.js';

/** Another broker that had this server before may have written once more. */
const OLD_MS = 30_000;

interface Seen {
  readonly sinceMs: number;
  keys: readonly SubscriptionKey[] | undefined;
  readonly positions: Map<string, KeptPosition | undefined>;
  readonly lags: Map<string, SeenLag>;
}

interface SeenLag {
  readonly position: number;
  readonly logEnd: number;
  readonly lag: number;
}

export const textOfKey = ({ account, name }: SubscriptionKey): string => `${account}.${name}`;

/**
 * Subscriptions as they were read, for a scrape of metrics that comes again each second. What this broker writes is
 * read again, and everything is after 30 s. A lag holds until the log grows.
 */
export class SeenPositions {
  #seen: Seen | undefined;

  constructor(private readonly positions: Pick<KeptPositions, 'keys' | 'read'>) {}

  async keys(): Promise<readonly SubscriptionKey[]> {
    const seen = this.#now();
    seen.keys ??= await this.positions.keys();
    return seen.keys;
  }

  async read(key: SubscriptionKey): Promise<KeptPosition | undefined> {
    const { positions } = this.#now();
    const text = textOfKey(key);
    if (!positions.has(text)) positions.set(text, await this.positions.read(key));
    return positions.get(text);
  }

  async lag(
    key: SubscriptionKey,
    at: Pick<SeenLag, 'position' | 'logEnd'>,
    count: () => Promise<number>,
  ): Promise<number> {
    const { lags } = this.#now();
    const known = lags.get(textOfKey(key));
    if (known !== undefined && known.position === at.position && known.logEnd === at.logEnd) return known.lag;
    const lag = await count();
    lags.set(textOfKey(key), { ...at, lag });
    return lag;
  }

  /** A position was written, or may have been. Without a key: there may be another subscription, or one less. */
  forget(key?: SubscriptionKey): void {
    if (key === undefined) this.#seen = undefined;
    else this.#seen?.positions.delete(textOfKey(key));
  }

  #now(): Seen {
    const now = performance.now();
    if (this.#seen === undefined || now - this.#seen.sinceMs > OLD_MS)
      this.#seen = { sinceMs: now, keys: undefined, positions: new Map(), lags: new Map() };
    return this.#seen;
  }
}
