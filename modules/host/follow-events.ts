import { Pull } from '../../journal/read/pull.js';
import type { EpochEnd } from '../../journal/append/recovery.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { fold, type PastOptions, wantMore } from './read-past.js';

export interface FollowerOptions extends PastOptions {
  /** An event came, and is not folded yet. */
  readonly onReceived: () => void;
  readonly onFolded: () => void;
}

/**
 * What a module without actions does for as long as it runs: it folds its events as they come, in the order of the log.
 * Nothing of it is decided here, so its states are the same whenever they are folded (I6).
 */
export class Follower {
  /**
   * Resolves with the reason why it cannot continue; rejects with FoldError if the module cannot fold what the log
   * holds.
   */
  readonly ended: Promise<Fault>;
  /** Resolves when all is folded that the log had when it began. */
  readonly caughtUp: Promise<void>;
  /** It appends nothing: no epoch of it has an end to speak of. */
  readonly end: EpochEnd | undefined = undefined;
  /** No command is ever under way. */
  readonly pending = 0;
  readonly #pull: Pull;
  #end: (reason: Fault) => void = () => undefined;

  constructor({ nc, apiPrefix, read, start, states, onReceived, onFolded, onRead }: FollowerOptions) {
    let failed: (error: unknown) => void = () => undefined;
    this.ended = new Promise((resolve, reject) => {
      this.#end = resolve;
      failed = reject;
    });
    let caughtUp: () => void = () => undefined;
    this.caughtUp = new Promise((resolve) => {
      caughtUp = resolve;
    });
    let left = start.foldRecords;
    if (left === 0) caughtUp();
    this.#pull = new Pull({
      nc,
      apiPrefix,
      consumer: start.foldConsumer,
      onBroken: (reason) => this.#end(reason),
      onMessage: ({ message }) => {
        onReceived();
        try {
          fold(read, states, message);
        } catch (error) {
          this.#pull.close();
          return failed(error);
        }
        onFolded();
        if (left > 0) onRead();
        left -= 1;
        if (left === 0) caughtUp();
        wantMore(this.#pull, states);
      },
    });
    wantMore(this.#pull, states);
  }

  makeRoom(): void {}

  drain(): Promise<void> {
    this.abandon(fault('MODULE_UNAVAILABLE', 'the module stops'));
    return Promise.resolve();
  }

  /** It is to fold nothing more. Idempotent. */
  abandon(reason: Fault): void {
    this.#pull.close();
    this.#end(reason);
  }
}
