import { type AgentChange, KEEP_EVERY } from './snapshot-group.js';
import { HeldStates } from './held-states.js';

/** An agent's state and the sequence of the last record that changed it. */
export interface Snapshot {
  readonly seq: number;
  readonly state: unknown;
  /** Changes since the last snapshot of it that was kept. */
  readonly changes: number;
}

/** What of an agent is not in the snapshots yet. */
interface Unsaved {
  /** Sequences of the results that changed it. */
  sequences: number[];
  timeMs: number;
}

/** What is to be written as one group, and what it takes to have it wait again. */
export interface TakenChanges {
  readonly changes: readonly AgentChange[];
  readonly unsaved: Map<string, Unsaved>;
  readonly kept: readonly AgentChange[];
  readonly waiting: number;
}

/** The same change with the sequences of an earlier one of its agent, which it takes in, before its own. */
const behind = <Change extends { readonly sequences: readonly number[] }>(
  earlier: Map<string, Unsaved>,
  agent: string,
  change: Change,
): Change => {
  const before = earlier.get(agent);
  earlier.delete(agent);
  return before === undefined ? change : { ...change, sequences: [...before.sequences, ...change.sequences] };
};

/**
 * The states of a module's agents while they are folded: in memory what is used and what is not written yet, the rest
 * in the snapshots. What is to be kept of the past is decided here, by the changes alone, so that every fold of the
 * same log keeps the same.
 */
export class AgentStates {
  readonly #held = new HeldStates<Snapshot>();
  #unsaved = new Map<string, Unsaved>();
  /** Snapshots to keep, taken when an agent had changed so often; they go before what is unsaved. */
  #kept: AgentChange[] = [];
  #waiting = 0;
  #gaveUp = false;

  constructor(
    private readonly initial: unknown,
    private readonly stored: (agent: string) => Snapshot | undefined,
    /** The JSON of a state, as it is written. */
    private readonly encoded: (agent: string, state: unknown) => string = (_, state) => JSON.stringify(state),
  ) {}

  /** Agents whose state is held in memory. */
  get size(): number {
    return this.#held.size;
  }

  /** Changes that wait to be written. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Agents that wait to be written: one that changed often is written once. */
  get waitingAgents(): number {
    return this.#unsaved.size;
  }

  get(agent: string): Snapshot {
    const held = this.#held.get(agent);
    if (held !== undefined) return held;
    const snapshot = this.stored(agent) ?? { seq: 0, state: this.initial, changes: 0 };
    this.#held.set(agent, snapshot);
    return snapshot;
  }

  /** A record, stored at that time, has changed an agent from the state that {@link get} gives. */
  change(agent: string, seq: number, timeMs: number, state: unknown): void {
    const { changes: before } = this.#held.peek(agent) ?? this.get(agent);
    const changes = before + 1;
    const unsaved = this.#unsaved.get(agent);
    if (unsaved === undefined) this.#unsaved.set(agent, { sequences: [seq], timeMs });
    else {
      unsaved.sequences.push(seq);
      unsaved.timeMs = timeMs;
    }
    this.#waiting += 1;
    const keep = changes >= KEEP_EVERY;
    this.#held.change(agent, { seq, state, changes: keep ? 0 : changes });
    if (!keep || this.#gaveUp) return;
    const { sequences } = this.#unsaved.get(agent) as Unsaved;
    this.#unsaved.delete(agent);
    this.#kept.push({ agent, sequences, timeMs, state: this.encoded(agent, state), keep });
  }

  /** All that waits, to be written now: then it is {@link written}, or has to wait again. */
  take(): TakenChanges {
    const [unsaved, kept, waiting] = [this.#unsaved, this.#kept, this.#waiting];
    this.#unsaved = new Map();
    this.#kept = [];
    this.#waiting = 0;
    const changes: AgentChange[] = [...kept];
    for (const [agent, { sequences, timeMs }] of unsaved) {
      changes.push({
        agent,
        sequences,
        timeMs,
        state: this.encoded(agent, this.get(agent).state),
        keep: false,
      });
    }
    return { changes, unsaved, kept, waiting };
  }

  written({ changes }: TakenChanges): void {
    for (const { agent, sequences, state } of changes) {
      // One that has changed since is not in the snapshots as it is here, also where that change is one to keep.
      if (this.#held.peek(agent)?.seq === sequences.at(-1)) this.#held.saved(agent, state.length);
    }
  }

  /** Puts what was not written back before what came since. */
  waitAgain({ unsaved, kept, waiting }: TakenChanges): void {
    this.#kept = [...kept, ...this.#kept.map((change) => behind(unsaved, change.agent, change))];
    for (const [agent, later] of this.#unsaved) unsaved.set(agent, behind(unsaved, agent, later));
    this.#unsaved = unsaved;
    this.#waiting += waiting;
  }

  /** Nothing will be written any more: forgets what only that needs. */
  giveUp(): void {
    this.#gaveUp = true;
    this.#kept = [];
    for (const each of this.#unsaved.values()) each.sequences = [];
  }
}
