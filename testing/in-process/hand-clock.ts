import type { HandlerClock } from '../../modules/host/handler-clock.js';

interface HandTimer {
  readonly dueMs: number;
  readonly run: () => void;
}

/** A clock that stands still until it is moved by hand. */
export class HandClock implements HandlerClock {
  #nowMs: number;
  /** In the order in which they were set, so that those that are due together run in that order. */
  readonly #timers = new Set<HandTimer>();

  constructor(startMs: number) {
    this.#nowMs = startMs;
  }

  readonly now = (): number => this.#nowMs;

  readonly after = (ms: number, run: () => void): (() => void) => {
    const timer = { dueMs: this.#nowMs + ms, run };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  };

  /** Moves to a time and stops at each timer on the way, until `settled` resolves: its consequences are over. */
  async moveTo(untilMs: number, settled: () => Promise<void>): Promise<void> {
    await settled();
    for (let next = this.#firstUntil(untilMs); next !== undefined; next = this.#firstUntil(untilMs)) {
      this.#timers.delete(next);
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.run();
      await settled();
    }
    this.#nowMs = untilMs;
  }

  #firstUntil(untilMs: number): HandTimer | undefined {
    let first: HandTimer | undefined;
    for (const timer of this.#timers) {
      if (timer.dueMs <= untilMs && (first === undefined || timer.dueMs < first.dueMs)) first = timer;
    }
    return first;
  }
}
