import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { AgentState } from '../../broker/snapshots/index.js';
import { foldEvents, type ReadFoldable } from '../../modules/sdk/fold.js';
import type { AnyModule } from '../../modules/sdk/module.js';
import { type Fault, fault, toFault } from '../../schemas/errors.js';
import { schemaOf } from '../../schemas/manifest.js';
import type { StoredMessage } from '../../schemas/record.js';

/** An agent's state as records are folded into it, one after the other. */
export class AgentFold {
  /** Records that changed it. */
  count = 0;
  #seq: number;
  #time: string;
  #state: unknown;

  constructor(
    private readonly module: AnyModule,
    private readonly read: ReadFoldable,
    private readonly agent: string,
    base: AgentState | undefined,
  ) {
    this.#seq = base?.seq ?? 0;
    this.#time = base?.time ?? '';
    this.#state = base === undefined ? module.initial : base.state;
  }

  /** Undefined when nothing has happened to the agent. */
  get found(): AgentState | undefined {
    if (this.#seq === 0) return undefined;
    return { seq: this.#seq, time: this.#time, schema: schemaOf(this.module.manifest), state: this.#state };
  }

  /** `expected`: the snapshots say that this record changed the agent. */
  add(message: StoredMessage, expected: boolean): Either<Fault, void> {
    if (message.seq <= this.#seq) return right(undefined);
    const foldable = this.read(message);
    if (isLeft(foldable)) return foldable;
    const { agent, events = [] } = foldable.right ?? {};
    if (agent !== this.agent || events.length === 0) {
      const { name } = this.module.manifest;
      const text = `record ${message.seq} is ${message.subject}, and the snapshots of ${name} have it as a change of ${this.agent}`;
      return expected ? left(fault('SNAPSHOT_DAMAGED', text)) : right(undefined);
    }
    try {
      this.#state = foldEvents(this.module, this.#state, events);
    } catch (error) {
      return left(fault('FOLD_FAILED', `record ${message.seq} cannot be folded: ${toFault(error).message}`));
    }
    this.#seq = message.seq;
    this.#time = message.time;
    this.count += 1;
    return right(undefined);
  }
}
