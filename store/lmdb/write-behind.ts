import * as E from 'fp-ts/lib/Either.js';

export interface WriteBehindOptions {
  /**
   * Writes the changes that wait, as one group; returns `undefined` if there are none. `all`: also those that could
   * wait longer. After a left, which is the reason, the changes must wait again, or their sender must learn that they
   * are not written.
   */
  readonly write: (all: boolean) => Promise<E.Either<string, void>> | undefined;
  /** The first write that failed. Not called again before a write succeeds. */
  readonly onFailing: (reason: string) => void;
  /** The first write that succeeded after that. */
  readonly onWorking?: () => void;
}

interface Timer {
  readonly at: number;
  readonly clear: () => void;
}

/** From a write that failed to the next one, milliseconds. */
const RETRY_MS = 1_000;

/**
 * When changes in memory are written to files: one write at a time, and the next group forms while one is written.
 * After a failure it tries again. It holds no changes itself: however many changes its owner announces, it has one
 * timer and one write. Its owner limits the changes, and says how long they may wait.
 */
export class WriteBehind {
  #timer: Timer | undefined;
  #writing: Promise<void> | undefined;
  /** From the begin of a write to its end. */
  #isBusy = false;
  /** Meanwhile: when the next write is to begin. */
  #nextAt = Number.POSITIVE_INFINITY;
  #isFailing = false;
  #retryAt = 0;
  #isClosed = false;

  constructor(private readonly options: WriteBehindOptions) {}

  get isWriting(): boolean {
    return this.#isBusy;
  }

  /** Whether a write runs, or a time for one is set. */
  get isPlanned(): boolean {
    return this.#isBusy || this.#timer !== undefined;
  }

  /** Whether the last write failed. */
  get isFailing(): boolean {
    return this.#isFailing;
  }

  /** Begins a write within so many milliseconds: after a write that runs, and not before the retry after a failure. */
  within(ms: number): void {
    const at = performance.now() + ms;
    if (this.#isBusy) this.#nextAt = Math.min(this.#nextAt, at);
    else this.#arm(at);
  }

  /** Resolves when no write runs. */
  async idle(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
  }

  /** Writes all changes of this moment without delay. Resolves when they are written, or when that failed. */
  async flush(): Promise<void> {
    while (this.#writing !== undefined) await this.#writing;
    await this.#begin(true);
  }

  /** The files cannot be written, as their owner found out: the next write is a retry. */
  failed(reason: string): void {
    if (!this.#isFailing) this.options.onFailing(reason);
    this.#isFailing = true;
    this.#retryAt = performance.now() + RETRY_MS;
    this.within(RETRY_MS);
  }

  /** Writes all changes, once, and stops. */
  async close(): Promise<void> {
    await this.flush();
    this.stop();
  }

  /** Begins no write any more. A write that runs ends. */
  stop(): void {
    this.#isClosed = true;
    this.#disarm();
  }

  #arm(wantedAt: number): void {
    const at = this.#isFailing ? Math.max(wantedAt, this.#retryAt) : wantedAt;
    if (this.#isClosed || (this.#timer !== undefined && this.#timer.at <= at)) return;
    this.#disarm();
    const run = (): void => {
      this.#timer = undefined;
      void this.#begin(false);
    };
    const ms = at - performance.now();
    if (ms > 0) {
      const timer = setTimeout(run, Math.ceil(ms));
      this.#timer = { at, clear: () => clearTimeout(timer) };
    } else {
      // The changes that this turn of the event loop still brings go along.
      const immediate = setImmediate(run);
      this.#timer = { at, clear: () => clearImmediate(immediate) };
    }
  }

  #disarm(): void {
    this.#timer?.clear();
    this.#timer = undefined;
  }

  #begin(all: boolean): Promise<void> | undefined {
    if (this.#isClosed) return undefined;
    this.#disarm();
    this.#isBusy = true;
    try {
      const writing = this.options.write(all);
      if (writing !== undefined) this.#writing = this.#settle(writing);
    } finally {
      if (this.#writing === undefined) this.#ended();
    }
    return this.#writing;
  }

  async #settle(writing: Promise<E.Either<string, void>>): Promise<void> {
    try {
      const outcome = await writing;
      if (E.isLeft(outcome)) return this.failed(outcome.left);
      if (this.#isFailing) this.options.onWorking?.();
      this.#isFailing = false;
    } finally {
      this.#ended();
    }
  }

  #ended(): void {
    this.#writing = undefined;
    this.#isBusy = false;
    const at = this.#nextAt;
    this.#nextAt = Number.POSITIVE_INFINITY;
    if (Number.isFinite(at)) this.#arm(at);
  }
}
