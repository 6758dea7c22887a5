import type { ModuleAgents, StoredSnapshot } from '../../store/snapshots/index.js';
import { schemaOf } from '../../schemas/manifest.js';
import type { ModuleFold } from '../fold/module-fold.js';

/** An agent whose snapshot is not what the log gives. */
export interface Difference {
  readonly module: string;
  /** `''` is the module itself. */
  readonly agent: string;
  /** What the log gives; null: nothing has happened to it. */
  readonly log: StoredSnapshot | null;
  /** What the snapshots have; null: nothing. */
  readonly snapshot: StoredSnapshot | null;
}

/** Names a page, of the agents that the snapshots list. */
const PAGE = 1_000;

/**
 * Compares snapshots that are read while their module continues, with a fold of the log, which stands still at a
 * sequence that the snapshots have reached. What they have of an agent is then of that sequence or of a later one:
 * those are remembered as they are, and compared when the fold comes to exactly there. So one pass is enough,
 * whatever the load.
 */
export class SnapshotComparison {
  readonly #ahead = new Map<string, StoredSnapshot>();
  #agents = 0;
  #aheadSeq = 0;

  constructor(
    private readonly fold: ModuleFold,
    private readonly live: ModuleAgents,
    private readonly foldedTo: number,
  ) {}

  /** How many agents were compared or are to be. */
  get agents(): number {
    return this.#agents;
  }

  /** The fold must continue up to this sequence; 0: it need not. */
  get aheadSeq(): number {
    return this.#aheadSeq;
  }

  /** Looks at every agent that the log or the snapshots have; the first that differs. */
  all(): Difference | undefined {
    const folded = this.fold.generation.agents();
    for (const agent of folded) {
      const difference = this.#one(agent, this.fold.stored(agent) ?? null);
      if (difference !== undefined) return difference;
    }
    const known = new Set(folded);
    for (const agent of this.#listed()) {
      const difference = known.has(agent) ? undefined : this.#one(agent, null);
      if (difference !== undefined) return difference;
    }
    return undefined;
  }

  /** The fold has come to a change of an agent. */
  came(agent: string, seq: number): Difference | undefined {
    const snapshot = this.#ahead.get(agent);
    if (snapshot?.seq !== seq) return undefined;
    this.#ahead.delete(agent);
    return this.#compare(agent, this.#foldedNow(agent), snapshot);
  }

  /** The fold has come to the end: an agent of which the log has no change where its snapshot says that it stands. */
  never(): Difference | undefined {
    const [first] = this.#ahead;
    if (first === undefined) return undefined;
    const [agent, snapshot] = first;
    return this.#differs(agent, this.#foldedNow(agent), snapshot);
  }

  *#listed(): Iterable<string> {
    yield '';
    for (let after: string | null = ''; after !== null; ) {
      const page = this.live.list({ after, limit: PAGE });
      for (const { agent } of page.agents) yield agent;
      after = page.next;
    }
  }

  #one(agent: string, log: StoredSnapshot | null): Difference | undefined {
    // Its snapshot is from before the erasure, and no key opens it.
    if (this.fold.isErased(agent)) return undefined;
    const snapshot = this.live.stored(agent) ?? null;
    if (log === null && snapshot === null) return undefined;
    if (agent !== '') this.#agents += 1;
    if (snapshot === null || snapshot.seq <= this.foldedTo) return this.#compare(agent, log, snapshot);
    this.#ahead.set(agent, snapshot);
    this.#aheadSeq = Math.max(this.#aheadSeq, snapshot.seq);
    return undefined;
  }

  #foldedNow(agent: string): StoredSnapshot | null {
    const { seq, json } = this.fold.stateOf(agent);
    return seq === 0 ? null : { seq, schema: schemaOf(this.fold.module.manifest), json };
  }

  #compare(
    agent: string,
    log: StoredSnapshot | null,
    snapshot: StoredSnapshot | null,
  ): Difference | undefined {
    const same =
      log?.seq === snapshot?.seq && log?.schema === snapshot?.schema && log?.json === snapshot?.json;
    return same ? undefined : this.#differs(agent, log, snapshot);
  }

  #differs(agent: string, log: StoredSnapshot | null, snapshot: StoredSnapshot | null): Difference {
    return { module: this.fold.name, agent, log, snapshot };
  }
}
