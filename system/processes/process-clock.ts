import { readFileSync } from 'node:fs';

const NANOS_PER_MS = 1_000_000;

/**
 * The time of another process: it stands still while that process is ready to run and has no processor. By it a process is late
 * for what it does, and not for what else the machine does. Only Linux tells; elsewhere this is the time of everybody.
 */
export class ProcessClock {
  /** How long the main thread of the process has waited for a processor, milliseconds. */
  #waitedMs = 0;

  constructor(private readonly pid: number | null) {}

  /** Milliseconds by the clock of `performance.now()`, less what the process has waited. May go back by a little. */
  now(): number {
    this.#read();
    return performance.now() - this.#waitedMs;
  }

  #read(): void {
    if (this.pid === null || process.platform !== 'linux') return;
    try {
      // Nanoseconds on a processor, nanoseconds of waiting for one, and a count.
      const [, waited] = readFileSync(`/proc/${this.pid}/schedstat`, 'latin1').split(' ');
      const waitedMs = Number(waited) / NANOS_PER_MS;
      if (waitedMs > this.#waitedMs) this.#waitedMs = waitedMs;
    } catch {
      // It has ended, or the system keeps no such count: what was known last goes on.
    }
  }
}
