/** Buckets of each power of two: a value is known to 1.6 %. */
const STEPS = 64;
const LOG_STEPS = 6;
/** 1 us to over 70 minutes. */
const POWERS = 32;

/** How often each bucket was met: bucket and count, one behind the other. */
export type Counts = readonly number[];

/**
 * A histogram of latencies in which every record is counted, in 16 KB and without sorting: of a million, none is left
 * out, the slowest least of all.
 */
export class Latencies {
  readonly #counts = new Float64Array(POWERS * STEPS);
  #count = 0;
  #max = 0;

  get count(): number {
    return this.#count;
  }

  add(ms: number, count = 1): void {
    const bucket = bucketOf(ms);
    this.#counts[bucket] = (this.#counts[bucket] as number) + count;
    this.#count += count;
    if (ms > this.#max) this.#max = ms;
  }

  /** Milliseconds; null of none. */
  quantile(share: number): number | null {
    if (this.#count === 0) return null;
    const wanted = Math.max(1, Math.ceil(this.#count * share));
    let seen = 0;
    for (let i = 0; i < this.#counts.length; i++) {
      seen += this.#counts[i] as number;
      if (seen >= wanted) return Math.min(this.#max, upperMs(i));
    }
    return this.#max;
  }

  get max(): number | null {
    return this.#count === 0 ? null : this.#max;
  }

  /** What was counted since the last call, for another process. */
  take(): Counts {
    const counts: number[] = [this.#max];
    for (let i = 0; i < this.#counts.length; i++) {
      const count = this.#counts[i] as number;
      if (count > 0) counts.push(i, count);
    }
    this.#counts.fill(0);
    this.#count = 0;
    this.#max = 0;
    return counts;
  }

  /** Adds what another process has taken. */
  merge(counts: Counts): void {
    this.#max = Math.max(this.#max, counts[0] ?? 0);
    for (let i = 1; i < counts.length; i += 2) {
      const [bucket, count] = [counts[i] as number, counts[i + 1] as number];
      this.#counts[bucket] = (this.#counts[bucket] as number) + count;
      this.#count += count;
    }
  }
}

const bucketOf = (ms: number): number => {
  const us = Math.max(1, Math.floor(ms * 1_000));
  const power = 31 - Math.clz32(Math.min(us, 0x7fff_ffff));
  // Below 64 us every microsecond has its own bucket.
  const step = power < LOG_STEPS ? us - (1 << power) : (us >>> (power - LOG_STEPS)) & (STEPS - 1);
  return power * STEPS + step;
};

/** The largest value of a bucket, milliseconds. */
const upperMs = (bucket: number): number => {
  const [power, step] = [Math.floor(bucket / STEPS), bucket % STEPS];
  const us = power < LOG_STEPS ? 2 ** power + step : 2 ** power + (step + 1) * 2 ** (power - LOG_STEPS);
  return us / 1_000;
};
