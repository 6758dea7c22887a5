import { failPoint } from '../../broker/journal/fail-point.js';
import type { Snapshot, SnapshotPosition, SnapshotStore } from '../../broker/snapshots/snapshot-store.js';
import type { AnyModule } from '../sdk/module.js';

export interface FoldedEvent {
  readonly name: string;
  readonly data: unknown;
}

const SAVE_INTERVAL_MS = 200;

/**
 * The states of a module's agents: each the fold of its own outcomes, begun from its snapshot. What changed is written
 * to the snapshots in groups, behind the handling of commands and never in its way.
 */
export class States {
  readonly #held = new Map<string, Snapshot>();
  readonly #unsaved = new Map<string, Snapshot>();
  #seq = 0;
  #saving: Promise<void> | undefined;
  readonly #timer: NodeJS.Timeout;

  constructor(
    private readonly module: AnyModule,
    private readonly store: SnapshotStore,
    private readonly logId: string,
    private readonly onError: (error: Error) => void,
  ) {
    this.#seq = store.position?.seq ?? 0;
    this.#timer = setInterval(() => void this.#save(), SAVE_INTERVAL_MS).unref();
  }

  /** Agents whose state is held in memory. */
  get size(): number {
    return this.#held.size;
  }

  get(agent: string): unknown {
    return this.#snapshot(agent).state;
  }

  /**
   * Folds events into the state of their agent. What comes of it counts once it is kept, at the sequence of the record
   * that has the events: before that it only shows that the module can fold them. Throws what the module's code throws.
   */
  fold(agent: string, events: readonly FoldedEvent[]): (seq: number) => void {
    // An agent that nothing happens to is not looked up: its name may be none, and too long for a key.
    let state = events.length === 0 ? undefined : this.#snapshot(agent).state;
    for (const { name, data } of events) {
      const evolve = this.module.evolve[name];
      // An event of an older version that this one does not know: the state cannot follow what it cannot read.
      if (evolve === undefined) throw new Error(`${this.module.manifest.name} cannot fold event ${name}`);
      state = evolve(state, data);
    }
    return (seq) => {
      if (seq > this.#seq) this.#seq = seq;
      if (events.length === 0) return;
      const after = { seq, state };
      this.#held.set(agent, after);
      this.#unsaved.set(agent, after);
    };
  }

  /** Folds one record's events into its agent's state; a record that is in it already changes nothing. */
  apply(agent: string, seq: number, events: readonly FoldedEvent[]): void {
    const isNew = events.length > 0 && seq > this.#snapshot(agent).seq;
    this.fold(agent, isNew ? events : [])(seq);
  }

  /** Writes what is not written and stops. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#saving;
    await this.#save();
  }

  #snapshot(agent: string): Snapshot {
    const held = this.#held.get(agent);
    if (held !== undefined) return held;
    const snapshot = this.store.get(agent) ?? { seq: 0, state: this.module.initial };
    this.#held.set(agent, snapshot);
    return snapshot;
  }

  async #save(): Promise<void> {
    if (this.#unsaved.size === 0 || this.#saving !== undefined) return;
    const batch = [...this.#unsaved];
    this.#unsaved.clear();
    const position: SnapshotPosition = {
      seq: this.#seq,
      logId: this.logId,
      version: this.module.manifest.version,
    };
    failPoint('host.snapshot-begun');
    this.#saving = this.store
      .save(batch, position)
      .then(() => failPoint('host.snapshot-written'))
      .catch((error: Error) => {
        // Written again with the next group; until then a start folds a little more of the log.
        for (const [agent, snapshot] of batch)
          if (!this.#unsaved.has(agent)) this.#unsaved.set(agent, snapshot);
        this.onError(error);
      })
      .finally(() => {
        this.#saving = undefined;
      });
    await this.#saving;
  }
}
