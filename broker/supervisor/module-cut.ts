import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { Fault } from '../../schemas/errors.js';

/** What it sent before is still read for a moment. That is no reason to cut off its next process. */
const BEHIND_MS = 2_000;

export interface ModuleCutOptions {
  /** Closes the connections of the module, and makes its credential useless. */
  readonly shutOut: () => TaskEither<Fault, unknown>;
  readonly kill: () => void;
  readonly log: (text: string) => void;
}

/**
 * Cuts off a module that floods the broker: its process and its credential, since another process may have that. It
 * counts as a crash of the process.
 */
export class ModuleCut {
  #why: string | undefined;
  #isUnderWay = false;
  #endedAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: ModuleCutOptions) {}

  /**
   * Does nothing while a cut is under way, or was a moment ago; otherwise it calls `begins`. Resolves when the module
   * is shut out.
   */
  async cut(why: string, begins: () => void = () => undefined): Promise<void> {
    if (this.#isUnderWay || performance.now() - this.#endedAt < BEHIND_MS) return;
    this.#isUnderWay = true;
    this.#why = why;
    begins();
    const { shutOut, kill, log } = this.options;
    log(`${why}; its connections are closed`);
    // Before the process ends: the next one gets another credential, behind this change.
    const shut = shutOut()();
    kill();
    const outcome = await shut;
    this.#isUnderWay = false;
    this.#endedAt = performance.now();
    if (E.isLeft(outcome)) log(`it is not shut out: ${outcome.left.message}`);
  }

  /** Why the last process ended, if it was cut off; once. */
  takeReason(): string | undefined {
    const why = this.#why;
    this.#why = undefined;
    return why;
  }
}
