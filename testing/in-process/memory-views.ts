import * as E from 'fp-ts/lib/Either.js';
import { compileFoldable } from '../../modules/sdk/fold.js';
import type { ReadFoldable } from '../../modules/sdk/foldable.js';
import type { AnyModule } from '../../modules/sdk/module-shape.js';
import { FaultError } from '../../schemas/errors.js';
import type { StoredMessage } from '../../schemas/record.js';
import type { MemoryStates } from './memory-states.js';

interface View {
  readonly read: ReadFoldable;
  readonly states: MemoryStates;
}

/** Folds the events of others into the states of the read models. What cannot be folded throws: a test must see it. */
export class MemoryViews {
  readonly #views: View[] = [];

  add(module: AnyModule, states: MemoryStates): void {
    const read = compileFoldable(module);
    if (E.isLeft(read)) throw new FaultError(read.left);
    this.#views.push({ read: read.right, states });
  }

  published(event: StoredMessage): void {
    for (const { read, states } of this.#views) {
      const foldable = read(event);
      if (E.isLeft(foldable)) throw new FaultError(foldable.left);
      if (foldable.right === undefined) continue;
      const { agent, events } = foldable.right;
      states.fold(agent, events)(event.seq, event.time);
    }
  }
}
