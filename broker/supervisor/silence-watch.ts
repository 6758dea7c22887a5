import type { ModuleProcess } from './module-process.js';

/** A server that takes longer than this to answer was not there, or hardly. */
const SLOW_ANSWER_MS = 500;
const WATCH_INTERVAL_MS = 250;

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
 */
export class SilenceWatch {
  /** By the clock of the process. */
  #lastBeat: number;
  readonly #timer: NodeJS.Timeout;

  constructor(private readonly options: SilenceWatchOptions) {
    this.#lastBeat = options.process.clock.now();
    let asking = false;
    this.#timer = setInterval(() => {
      if (asking || !this.#isSilent) return;
      asking = true;
      void this.#end().finally(() => {
        asking = false;
      });
    }, WATCH_INTERVAL_MS).unref();
  }

  /** Something was heard of the process. */
  heard(): void {
    this.#lastBeat = this.options.process.clock.now();
  }

  close(): void {
    clearInterval(this.#timer);
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
