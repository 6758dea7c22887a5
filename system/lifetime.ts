import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type Fault, FaultError } from '../schemas/errors.js';

/** What a broker has started, so that it can be stopped in the opposite order, and why it may have to be. */
export class Lifetime {
  readonly #steps: (() => Promise<unknown> | unknown)[] = [];
  readonly #atOnce: (() => void)[] = [];
  #stopped: Promise<void> | undefined;
  #fail: (reason: Fault) => void = () => undefined;
  /** Resolves when the broker cannot go on; it must then be stopped. */
  readonly failed: Promise<Fault>;

  constructor() {
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
  }

  /** Adds a step that undoes what was just done. */
  onStop(step: () => Promise<unknown> | unknown): void {
    this.#steps.push(step);
  }

  /** Adds what is to happen the moment another broker has this one's place, long before this one has ended. */
  onReplaced(step: () => void): void {
    this.#atOnce.push(step);
  }

  replaced(): void {
    for (const step of this.#atOnce.splice(0)) step();
  }

  fail(reason: Fault): void {
    this.#fail(reason);
  }

  /** Runs the steps, the last one first. Idempotent. One that fails does not keep the others from running. */
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

/** The value, or a throw: for a sequence of steps that ends at the first fault, which its caller makes a value again. */
export const orThrow = <A>(result: E.Either<Fault, A>): A => {
  if (E.isLeft(result)) throw new FaultError(result.left);
  return result.right;
};

export const run = async <A>(task: TaskEither<Fault, A>): Promise<A> => orThrow(await task());
