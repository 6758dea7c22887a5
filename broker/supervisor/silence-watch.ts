import type { ModuleProcess } from './module-process.js';

/** A server that takes longer than this to answer was not there, or hardly. */
const SLOW_ANSWER_MS = 500;
/** A process that was silent for this share of `limits.hangMs` has left out a beat: from then on it is looked at … */
const WATCHED_SHARE = 0.6;
/** … so often. Short stretches tell best how long the process waited for a processor. */
const LOOK_MS = 250;
/** How often the clock of a process that beats is looked at. Between the looks it counts as not waiting. */
const CLOCK_LOOK_MS = 5_000;

export interface SilenceWatchOptions {
  readonly process: ModuleProcess;
  /** `limits.hangMs`. */
  readonly hangMs: number;
  /**
   * Since when the connection to the server stands, by the clock of `performance.now()`; undefined while it does not.
   */
  readonly linkedSince: () => number | undefined;
  /**
   * Resolves when the server has answered, and all that it had sent before is here; rejects when the connection is
   * lost.
   */
  readonly serverAnswers: () => Promise<void>;
  readonly log: (text: string) => void;
}

/**
 * Ends a process that hangs. A silent process hangs if the server replies. Without the server, every process is
 * silent.
 *
 * While a process beats, each beat only puts off the timer. Its clock is looked at when a beat is missing. So its
 * silence may count as too short, by what it waited for a processor in the {@link CLOCK_LOOK_MS} before its last beat.
 * It never counts as too long.
 */
export class SilenceWatch {
  /** By the clock of the process. */
  #lastBeat: number;
  #timer: NodeJS.Timeout | undefined;
  readonly #watchedMs: number;
  #armedMs = 0;
  #isLooking = false;
  #isClosed = false;

  constructor(private readonly options: SilenceWatchOptions) {
    this.#lastBeat = options.process.clock.now();
    this.#watchedMs = options.hangMs * WATCHED_SHARE;
    this.#arm(this.#watchedMs);
  }

  /** Something was heard of the process. */
  heard(): void {
    const { clock } = this.options.process;
    this.#lastBeat = clock.sinceLookMs < CLOCK_LOOK_MS ? clock.latest : clock.now();
    // A look that is under way arms the timer itself.
    if (this.#isLooking) return;
    if (this.#armedMs === this.#watchedMs) this.#timer?.refresh();
    else this.#arm(this.#watchedMs);
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #arm(ms: number): void {
    clearTimeout(this.#timer);
    this.#armedMs = ms;
    this.#timer = setTimeout(() => void this.#look(), ms).unref();
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    if (this.#isSilent) await this.#end();
    this.#isLooking = false;
    if (!this.#isClosed) this.#arm(Math.max(LOOK_MS, this.#watchedMs - this.#silentMs));
  }

  get #isSilent(): boolean {
    return this.#silentMs >= this.options.hangMs && this.options.process.running;
  }

  /** How long nothing was heard of the process over a connection that stands. */
  get #silentMs(): number {
    const linked = this.options.linkedSince();
    if (linked === undefined) return 0;
    const silentMs = this.options.process.clock.now() - this.#lastBeat;
    return Math.round(Math.max(0, Math.min(silentMs, performance.now() - linked)));
  }

  /** A server that is stopped, or out of reach behind a connection that seems to stand, says nothing of the module. */
  async #end(): Promise<void> {
    const { process, serverAnswers, log } = this.options;
    const askedAt = performance.now();
    try {
      await serverAnswers();
    } catch {
      return;
    }
    // What the module said meanwhile may be on its way still: its time begins again.
    if (performance.now() - askedAt > SLOW_ANSWER_MS) this.heard();
    if (!this.#isSilent) return;
    log(`process ${process.pid} has been silent for ${this.#silentMs} ms and is replaced`);
    process.killHung();
  }
}
