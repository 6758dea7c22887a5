import { readdirSync, readFileSync } from 'node:fs';

const NANOS_PER_MS = 1_000_000;

/** How long each thread of a process has waited for a processor, milliseconds; empty where nobody can tell. */
const waits = (pid: number): ReadonlyMap<string, number> => {
  const found = new Map<string, number>();
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      // Nanoseconds on a processor, nanoseconds of waiting for one, and a count.
      const [, waited] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ');
      found.set(thread, Number(waited) / NANOS_PER_MS);
    }
  } catch {
    // The process has ended, or a thread of it, or the system keeps no such count: what was read so far counts.
  }
  return found;
};

/**
 * The time of another process: it stands still while that process is ready to run and has no processor. By this time
 * a process is late for what it does, and not for what else the machine does. Only Linux tells; elsewhere this is
 * everybody's time.
 */
export class ProcessClock {
  #now = performance.now();
  #lookedAt = this.#now;
  #waits: ReadonlyMap<string, number> = new Map();

  constructor(private readonly pid: number | null) {}

  /**
   * Milliseconds by the clock of `performance.now()`, less what the process has waited. Never goes back. It reads a
   * file for each thread of the process.
   */
  now(): number {
    const at = performance.now();
    this.#now += Math.max(0, at - this.#lookedAt - this.#waited());
    this.#lookedAt = at;
    return this.#now;
  }

  /** The latest that it may be by this clock, without a look: as if the process had not waited since the last one. */
  get latest(): number {
    return this.#now + this.sinceLookMs;
  }

  get sinceLookMs(): number {
    return performance.now() - this.#lookedAt;
  }

  /**
   * How long the process has waited since the last look. Its main thread waits for a processor, or for another thread
   * that reads a file for it and waits for a processor itself.
   */
  #waited(): number {
    if (this.pid === null || process.platform !== 'linux') return 0;
    const before = this.#waits;
    this.#waits = waits(this.pid);
    let [main, others] = [0, 0];
    for (const [thread, waitedMs] of this.#waits) {
      const moreMs = Math.max(0, waitedMs - (before.get(thread) ?? 0));
      if (thread === String(this.pid)) main = moreMs;
      else others = Math.max(others, moreMs);
    }
    return main + others;
  }
}
