import type { Beat } from '../../schemas/control.js';
import { BEAT_INTERVAL_MS } from '../../schemas/control.js';
import { untilGrid } from '../../system/async/grid.js';

export interface BeatsOptions {
  /** `limits.hangMs` of the module. */
  readonly hangMs: number;
  readonly beat: () => Beat;
  /** Whether the process starts, or has commands under way: its beats come at the full rate. */
  readonly isBusy: () => boolean;
  /** Sends a beat; `now`: the system has it before this returns. */
  readonly send: (beat: string, now: boolean) => void;
}

/** A quiet process beats at least so often within `limits.hangMs` … */
const QUIET_SHARE = 0.5;
/** … and at least this often. */
const MAX_QUIET_MS = 2_500;

/** How often a process beats that has nothing to tell, milliseconds. */
export const quietIntervalMs = (hangMs: number): number =>
  Math.max(BEAT_INTERVAL_MS, Math.min(MAX_QUIET_MS, hangMs * QUIET_SHARE));

/**
 * Tells the broker that this process is alive. A quiet process wakes up seldom. Work that arrives wakes it: a beat
 * leaves before the work begins, so a handler has the whole of `limits.hangMs`.
 */
export class Beats {
  readonly #quietMs: number;
  #timer: NodeJS.Timeout | undefined;
  #isQuiet = false;
  #last = '';

  constructor(private readonly options: BeatsOptions) {
    this.#quietMs = quietIntervalMs(options.hangMs);
    this.#arm();
  }

  /** Work arrives. */
  stir(): void {
    if (!this.#isQuiet) return;
    clearTimeout(this.#timer);
    this.#isQuiet = false;
    this.#send(true);
    this.#arm();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#isQuiet = false;
  }

  #arm(): void {
    this.#timer = setTimeout(() => this.#beat(), this.#isQuiet ? untilGrid(this.#quietMs) : BEAT_INTERVAL_MS);
  }

  #beat(): void {
    const before = this.#last;
    this.#send(false);
    this.#isQuiet = this.#last === before && !this.options.isBusy();
    this.#arm();
  }

  #send(now: boolean): void {
    this.#last = JSON.stringify(this.options.beat());
    this.options.send(this.#last, now);
  }
}
