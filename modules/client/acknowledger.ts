import { type Fault, FaultError, toFault } from '../../schemas/errors.js';
import { pause } from '../../system/async/pause.js';

export interface AcknowledgerOptions {
  /** Has the broker store a position; resolves with the one that it has then. */
  readonly store: (seq: number, signal: AbortSignal) => Promise<number>;
  /** No position is stored any more. */
  readonly onFailed: (problem: Fault) => void;
}

interface AwaitedAck {
  readonly seq: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Acknowledgements that nobody waits for are stored together. */
const TOGETHER_MS = 20;
/** How long a close waits for a broker that does not answer. */
const CLOSE_MS = 5_000;

/** Stores how far a program has come: one request at a time, with the last position. */
export class Acknowledger {
  readonly #over = new AbortController();
  /** Ends the pause between two requests. */
  #hurry = new AbortController();
  #wanted = 0;
  #stored = 0;
  #running: Promise<void> | undefined;
  #failure: Fault | undefined;
  #waiters: AwaitedAck[] = [];

  constructor(private readonly options: AcknowledgerOptions) {}

  /** What is acknowledged, stored or not. */
  get wanted(): number {
    return this.#wanted;
  }

  /** All up to here is handled. It is stored soon. */
  note(seq: number): void {
    this.#wanted = Math.max(this.#wanted, seq);
    if (this.#failure === undefined) this.#running ??= this.#run();
  }

  /** The same; resolves when it is stored. Throws `FaultError`. */
  async ack(seq: number): Promise<void> {
    if (this.#failure !== undefined) throw new FaultError(this.#failure);
    if (seq <= this.#stored) return;
    const stored = new Promise<void>((resolve, reject) => this.#waiters.push({ seq, resolve, reject }));
    this.note(seq);
    this.#hurry.abort();
    await stored;
  }

  /** Waits until all is stored, for some seconds at most. */
  async close(): Promise<void> {
    this.#hurry.abort();
    const timer = setTimeout(() => this.#over.abort(), CLOSE_MS);
    await this.#running;
    clearTimeout(timer);
    this.#over.abort();
  }

  async #run(): Promise<void> {
    try {
      while (this.#stored < this.#wanted) {
        const position = await this.options.store(this.#wanted, this.#over.signal);
        this.#stored = Math.max(this.#stored, position);
        this.#tell();
        if (this.#waiters.length > 0 || this.#over.signal.aborted) continue;
        this.#hurry = new AbortController();
        await pause(TOGETHER_MS, { signal: this.#hurry.signal });
      }
    } catch (error) {
      this.#failure = toFault(error);
      for (const { reject } of this.#waiters) reject(new FaultError(this.#failure));
      this.#waiters = [];
      this.options.onFailed(this.#failure);
    } finally {
      this.#running = undefined;
    }
  }

  #tell(): void {
    const stored = this.#waiters.filter(({ seq }) => seq <= this.#stored);
    this.#waiters = this.#waiters.filter(({ seq }) => seq > this.#stored);
    for (const { resolve } of stored) resolve();
  }
}
