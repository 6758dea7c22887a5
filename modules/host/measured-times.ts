import { type CommandTimes, TimeCounter } from '../../schemas/command-times.js';

/** So far the two clocks may differ. */
const MOST_DRIFT_MS = 2;

/**
 * Counts how long commands take, for the beats of this process. It costs a command three looks at a clock.
 */
export class MeasuredTimes {
  readonly counts = {
    routing: new TimeCounter(),
    processing: new TimeCounter(),
    whole: new TimeCounter(),
  } satisfies CommandTimes;
  #originMs = performance.timeOrigin;

  /** A command was delivered that the log has since `storedMs`. */
  delivered(storedMs: number): void {
    this.counts.routing.add(this.#wallMs() - storedMs);
  }

  /** The result is stored of a command whose handler began at `begunMs` of `performance.now()`. */
  stored(storedMs: number, begunMs: number): void {
    this.counts.processing.add(performance.now() - begunMs);
    this.counts.whole.add(this.#wallMs() - storedMs);
  }

  /** Finer than `Date.now()`, which counts whole milliseconds, and follows it if the clock is set. */
  #wallMs(): number {
    const now = performance.now();
    const whole = Date.now();
    if (Math.abs(whole - now - this.#originMs) > MOST_DRIFT_MS) this.#originMs = whole - now;
    return this.#originMs + now;
  }
}
