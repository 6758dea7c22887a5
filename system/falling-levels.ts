/** A count that falls by so many a second, and what it may be at most. */
export interface FloodLimit {
  readonly perSecond: number;
  readonly most: number;
}

/** Levels are looked through for those that are empty when there are so many. */
const MANY_LEVELS = 1_024;

interface FallingLevel {
  value: number;
  at: number;
}

/** Counts by key; each falls with time. */
export class FallingLevels {
  readonly #levels = new Map<string, FallingLevel>();
  #prunedAt = 0;

  constructor(private readonly limit: FloodLimit) {}

  /** Counts one more. The part of the limit that it has reached. */
  add(key: string, now: number): number {
    if (this.#levels.size >= MANY_LEVELS && now - this.#prunedAt > 1_000) this.#prune(now);
    const level = this.#levels.get(key) ?? { value: 0, at: now };
    level.value = this.#fallen(level, now) + 1;
    level.at = now;
    this.#levels.set(key, level);
    return level.value / this.limit.most;
  }

  /** The part of the limit that a count has. */
  of(key: string, now: number): number {
    const level = this.#levels.get(key);
    return level === undefined ? 0 : this.#fallen(level, now) / this.limit.most;
  }

  #fallen({ value, at }: FallingLevel, now: number): number {
    return Math.max(0, value - ((now - at) * this.limit.perSecond) / 1_000);
  }

  #prune(now: number): void {
    this.#prunedAt = now;
    for (const [key, level] of this.#levels) if (this.#fallen(level, now) === 0) this.#levels.delete(key);
  }
}
