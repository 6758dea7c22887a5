import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type Fault, fault } from '../../schemas/errors.js';

/** The changes that requests make to modules: one at a time for each module. */
export class ModuleChanges {
  /** By module: what is being done with it. */
  readonly #busy = new Map<string, string>();

  /** What is asked of a module by one request, another one must not undo half way. `what`: `reloaded`, for example. */
  alone<A>(name: string, what: string, work: () => TaskEither<Fault, A>): TaskEither<Fault, A> {
    return async () => {
      const busy = this.#busy.get(name);
      if (busy !== undefined) {
        const text = `${name} is being ${busy} by another request; try again once it is`;
        return E.left(fault('MODULE_STATE', text));
      }
      this.#busy.set(name, what);
      try {
        return await work()();
      } finally {
        this.#busy.delete(name);
      }
    };
  }
}
