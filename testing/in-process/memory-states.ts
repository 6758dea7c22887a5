import { schemaOf } from '../../schemas/manifest.js';
import type { AnyEvent } from '../../modules/sdk/checked-outcome.js';
import { foldEvents } from '../../modules/sdk/fold.js';
import type { AnyModule } from '../../modules/sdk/module-shape.js';
import type { AgentState } from '../../store/snapshots/index.js';
import { assertPlainJson, frozen } from '../specification/plain.js';

/** The states of a module's agents. A handler that changes one, and a state that JSON does not carry, throw. */
export class MemoryStates {
  readonly #agents = new Map<string, AgentState>();
  readonly #initial: unknown;

  constructor(private readonly module: AnyModule) {
    this.#initial = frozen(module.initial);
  }

  get(agent: string): unknown {
    const known = this.#agents.get(agent);
    return known === undefined ? this.#initial : known.state;
  }

  /** What is known of an agent; undefined if nothing has happened to it. */
  find(agent: string): AgentState | undefined {
    return this.#agents.get(agent);
  }

  /** Folds events. The state counts once it is kept. Throws what the module's code throws. */
  fold(agent: string, events: readonly AnyEvent[]): (seq: number, time: string) => void {
    if (events.length === 0) return () => undefined;
    const folded = foldEvents(this.module, this.get(agent), events);
    assertPlainJson(folded, `the state of ${this.module.manifest.name}`);
    const state = frozen(folded);
    const schema = schemaOf(this.module.manifest);
    return (seq, time) => void this.#agents.set(agent, { seq, time, schema, state });
  }
}
