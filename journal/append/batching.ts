import { Backoff } from '../../system/async/backoff.js';

const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 5_000;

/**
 * Whether records may go as batches. The server takes 50 open batches of a stream, of all producers together, and
 * refuses the rest; single records it takes all the same. So after a refusal they go one by one for a while, and for
 * longer each time.
 */
export class Batching {
  readonly #pauses = new Backoff(FIRST_PAUSE_MS, MAX_PAUSE_MS);
  #until = Number.NEGATIVE_INFINITY;
  #held = false;

  get mayTry(): boolean {
    return performance.now() >= this.#until;
  }

  /** What was sent before the batch that was refused must be answered before anything else is sent. */
  get isHeld(): boolean {
    return this.#held;
  }

  refused(): void {
    this.#held = true;
    this.#until = performance.now() + this.#pauses.take();
  }

  release(): void {
    this.#held = false;
  }

  taken(): void {
    this.#pauses.reset();
  }
}
