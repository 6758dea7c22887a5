import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type Fault, fault } from '../../schemas/errors.js';

const RETRY_AFTER_MS = 1_000;

/** Runs tasks one after the other; OVERLOADED when too many wait. */
export class OneByOne {
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  constructor(private readonly maxWaiting: number) {}

  run<A>(task: TaskEither<Fault, A>): TaskEither<Fault, A> {
    return async () => {
      if (this.#waiting > this.maxWaiting) {
        const text = `${this.#waiting} requests of this account wait; try again in ${RETRY_AFTER_MS} ms`;
        return E.left({ ...fault('OVERLOADED', text), retryAfterMs: RETRY_AFTER_MS });
      }
      this.#waiting += 1;
      const mine = this.#last.then(task).finally(() => {
        this.#waiting -= 1;
      });
      this.#last = mine.catch(() => undefined);
      return mine;
    };
  }
}
