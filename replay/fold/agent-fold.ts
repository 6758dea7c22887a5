import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { AgentState } from '../../store/snapshots/index.js';
import { foldEvents } from '../../modules/sdk/fold.js';
import type { ReadFoldable } from '../../modules/sdk/foldable.js';
import type { AnyModule } from '../../modules/sdk/module-shape.js';
import type { AnyEvent } from '../../modules/sdk/checked-outcome.js';
import { type Fault, fault, toFault } from '../../schemas/errors.js';
import { schemaOf } from '../../schemas/manifest.js';
import type { StoredMessage } from '../../schemas/record.js';

const NOTHING: readonly AnyEvent[] = [];

/** An agent's state as records are folded into it, one after the other. */
export class AgentFold {
  /** Records that changed it. */
  count = 0;
  #seq: number;
  /** Of the record folded last: as text it is made only where it is asked for. */
  #stored: Pick<StoredMessage, 'time'>;
  #state: unknown;

  constructor(
    private readonly module: AnyModule,
    private readonly read: ReadFoldable,
    private readonly agent: string,
    base: AgentState | undefined,
  ) {
    this.#seq = base?.seq ?? 0;
    this.#stored = base ?? { time: '' };
    this.#state = base === undefined ? module.initial : base.state;
  }

  /** Undefined when nothing has happened to the agent. */
  get found(): AgentState | undefined {
    if (this.#seq === 0) return undefined;
    return {
      seq: this.#seq,
      time: this.#stored.time,
      schema: schemaOf(this.module.manifest),
      state: this.#state,
    };
  }

  /** As it is folded so far. */
  get state(): unknown {
    return this.#state;
  }

  /**
   * Folds the next record, and gives what happened by it; nothing, where it does not change the agent. `expected`: the
   * snapshots say that it does.
   */
  add(message: StoredMessage, expected: boolean): Either<Fault, readonly AnyEvent[]> {
    if (message.seq <= this.#seq) return right(NOTHING);
    const foldable = this.read(message);
    if (isLeft(foldable)) return foldable;
    const { agent, events = [] } = foldable.right ?? {};
    if (agent !== this.agent || events.length === 0) {
      const { name } = this.module.manifest;
      const text = `record ${message.seq} is ${message.subject}, and the snapshots of ${name} have it as a change of ${this.agent}`;
      return expected ? left(fault('SNAPSHOT_DAMAGED', text)) : right(NOTHING);
    }
    try {
      this.#state = foldEvents(this.module, this.#state, events);
    } catch (error) {
      return left(fault('FOLD_FAILED', `record ${message.seq} cannot be folded: ${toFault(error).message}`));
    }
    this.#seq = message.seq;
    this.#stored = message;
    this.count += 1;
    return right(events);
  }
}
