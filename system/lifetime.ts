import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type Fault, FaultError } from '../schemas/errors.js';

/** The started parts of a broker, to stop them in the opposite order, and the reason for a stop. */
export class Lifetime {
  readonly #steps: (() => Promise<unknown> | unknown)[] = [];
  readonly #atOnce: (() => void)[] = [];
  #stopped: Promise<void> | undefined;
  #fail: (reason: Fault) => void = () => undefined;
  /** Resolves when the broker cannot continue. Then it must be stopped. */
  readonly failed: Promise<Fault>;

  constructor() {
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
  }

  /** Adds a step that undoes the last start. */
  onStop(step: () => Promise<unknown> | unknown): void {
    this.#steps.push(step);
  }

  /** Adds a step for the moment when another broker takes over, long before this one has ended. */
  onReplaced(step: () => void): void {
    this.#atOnce.push(step);
  }

  replaced(): void {
    for (const step of this.#atOnce.splice(0)) step();
  }

  fail(reason: Fault): void {
    this.#fail(reason);
  }

  /** Runs the steps, the last one first. Idempotent. A step that fails does not stop the others. */
  stop(): Promise<void> {
    this.#stopped ??= this.#undo();
    return this.#stopped;
  }

  async #undo(): Promise<void> {
    const errors: unknown[] = [];
    for (const step of this.#steps.reverse()) {
      try {
        await step();
      } catch (error) {
        errors.push(error);
      }
    }
    if (errors.length > 0) throw errors[0];
  }
}

/**
 * The value, or a throw: for a sequence of steps that ends at the first fault. Its caller turns the throw into a
 * value.
 */
export const orThrow = <A>(result: E.Either<Fault, A>): A => {
  if (E.isLeft(result)) throw new FaultError(result.left);
  return result.right;
};

export const runOrThrow = async <A>(task: TaskEither<Fault, A>): Promise<A> => orThrow(await task());
