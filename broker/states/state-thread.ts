import { Worker } from 'node:worker_threads';
import * as E from 'fp-ts/lib/Either.js';
import { type Fault, fault } from '../../schemas/errors.js';
import type { StateAnswer, StateQuestion, StateThreadData } from './state-messages.js';

const PROGRAM = new URL('./state-worker.js', import.meta.url);
/** A thread that says nothing for so long hangs: at the disk, or behind a module that was stopped in its commit. */
const SILENCE_MS = 4_000;
const SWEEP_MS = 500;

interface OpenQuestion {
  readonly since: number;
  readonly settle: (said: E.Either<Fault, Uint8Array>) => void;
}

export interface StateThreadOptions extends StateThreadData {
  readonly say: (text: string) => void;
}

/** Asks the thread that reads states. It starts at the first question, so a broker without questions has none. */
export class StateThread {
  readonly #open = new Map<number, OpenQuestion>();
  #worker: Worker | undefined;
  #next = 1;
  #isClosed = false;
  #sweeping: NodeJS.Timeout | undefined;

  constructor(private readonly options: StateThreadOptions) {}

  /** The reply in its bytes: module, agent, sequence, time, schema version and state. */
  read(question: Omit<StateQuestion, 'id'>): Promise<E.Either<Fault, Uint8Array>> {
    if (this.#isClosed)
      return Promise.resolve(E.left(fault('MODULE_UNAVAILABLE', 'the broker is about to stop')));
    const worker = this.#running();
    const id = this.#next++;
    return new Promise((settle) => {
      this.#open.set(id, { since: performance.now(), settle });
      this.#sweeping ??= setInterval(() => this.#sweep(), SWEEP_MS);
      worker.postMessage({ id, ...question } satisfies StateQuestion);
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#worker?.terminate();
    this.#refuseAll('the broker is about to stop');
  }

  #running(): Worker {
    if (this.#worker !== undefined) return this.#worker;
    const { dataDir, maxBytes, say } = this.options;
    const workerData: StateThreadData = { dataDir, maxBytes };
    const worker = new Worker(PROGRAM, { workerData });
    this.#worker = worker;
    worker.on('message', (said: StateAnswer) => this.#settle(said));
    worker.on('error', (error) =>
      say(`the thread that reads states failed: ${error.stack ?? error.message}`),
    );
    worker.on('exit', () => {
      this.#worker = undefined;
      this.#refuseAll('the thread that reads states has ended; the next request starts another');
    });
    worker.unref();
    return worker;
  }

  #settle(said: StateAnswer): void {
    const asked = this.#open.get(said.id);
    this.#open.delete(said.id);
    this.#rest();
    asked?.settle('body' in said ? E.right(said.body) : E.left(said.fault));
  }

  #sweep(): void {
    const before = performance.now() - SILENCE_MS;
    for (const [id, { since, settle }] of this.#open) {
      if (since > before) continue;
      this.#open.delete(id);
      settle(E.left(fault('SNAPSHOTS_UNAVAILABLE', `the states could not be read within ${SILENCE_MS} ms`)));
    }
    this.#rest();
  }

  /** A broker without questions has no timer. */
  #rest(): void {
    if (this.#open.size > 0) return;
    clearInterval(this.#sweeping);
    this.#sweeping = undefined;
  }

  #refuseAll(why: string): void {
    for (const { settle } of this.#open.values()) settle(E.left(fault('SNAPSHOTS_UNAVAILABLE', why)));
    this.#open.clear();
    this.#rest();
  }
}
