/** What was delivered before a kill may be seen so long after it, milliseconds. */
export const SETTLED_MS = 250;

/**
 * For how long a kill stopped delivery: until more is delivered than stood there when the kill had settled, by a
 * process that is not the killed one. A time alone does not tell that: under load what the killed process did is seen
 * for a while.
 */
export class Outage {
  #stood: number | undefined;
  #downMs: number | null = null;

  /** `killedPid`: null if it is unknown. */
  constructor(
    private readonly killedAt: number,
    private readonly killedPid: number | null,
  ) {}

  /** Milliseconds, to within one look and {@link SETTLED_MS}; null while it lasts. */
  get downMs(): number | null {
    return this.#downMs;
  }

  /**
   * `progress` rises with each delivery and with nothing else; `pid`: of the process that runs now, as far as is
   * known.
   */
  look(at: number, progress: number, pid: number | null): void {
    const sinceMs = at - this.killedAt;
    if (this.#downMs !== null || sinceMs < SETTLED_MS) return;
    if (this.#stood === undefined) this.#stood = progress;
    else if (progress > this.#stood && pid !== null && pid !== this.killedPid)
      this.#downMs = Math.round(sinceMs);
  }
}
