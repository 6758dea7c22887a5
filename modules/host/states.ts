import * as E from 'fp-ts/lib/Either.js';
import { failPoint } from '../../system/processes/fail-point.js';
import type { AgentStates, TakenChanges } from '../../store/snapshots/agent-states.js';
import { namesCode } from '../../store/snapshots/folded-elsewhere.js';
import type { Generation } from '../../store/snapshots/generation.js';
import { WriteBehind } from '../../store/lmdb/write-behind.js';
import type { AgentSeals } from '../../store/seals/agent-seals.js';
import { statesOf } from '../../store/snapshots/sealed-states.js';
import { foldEvents } from '../sdk/fold.js';
import type { AnyModule } from '../sdk/module-shape.js';
import type { AnyEvent } from '../sdk/checked-outcome.js';

/** Encoding states takes at most one part in so many of the time; writing them too, where groups are large. */
const WRITING_SHARE = 8;
/**
 * Where a group had few changes, so long from its begin to the next one: to wake the thread that writes takes more time
 * than to write. A change after a pause is written at once. docs/reference/limits.md says it.
 */
const FEW_CHANGES = 4;
const FEW_PAUSE_MS = 5;
/**
 * Agents of one group, above which the next one waits longer where that spares writing: under a load that changes all
 * agents again and again most of what is written at once is written for nothing. Where there are more agents than are
 * changed within the longest pause it would spare nothing, and the host took a third more time for a change in groups
 * of up to 100,000 than of 2,000.
 */
const LARGE_GROUP = 1_000;
const LONGEST_PAUSE_MS = 1_000;
/**
 * What may wait while the past is folded, or events are followed: there states are folded faster than they are
 * written. Of changes what memory is to hold; of agents, where waiting spares no writing, a group of a size that is
 * written well.
 */
const FULL_CHANGES = 50_000;
const FULL_AGENTS = 4_096;
/**
 * Changes that wait for snapshots that cannot be written; with more, nothing is written until the module's next
 * start.
 */
const MAX_WAITING = 500_000;

/**
 * The states of a module's agents: each the fold of that agent's outcomes, begun from its snapshot. What changed is
 * written to the snapshots at once, in groups that form while the one before is written, behind the handling of
 * commands and never in its way. An agent that is idle costs nothing here but a look at its snapshot when it is
 * needed again.
 */
export class States {
  readonly #agents: AgentStates;
  #seq: number;
  #savedSeq: number;
  readonly #writer: WriteBehind;
  #pauseUntil = 0;
  /** When the last group was begun. */
  #begun = 0;
  /** Whether agents were changed so fast before it that they would be again within the longest pause. */
  #waitingSpares = true;
  #gaveUp = false;

  constructor(
    private readonly module: AnyModule,
    private readonly snapshots: Pick<Generation, 'position' | 'get' | 'commit'>,
    private readonly logId: string,
    private readonly say: (line: string) => void,
    private readonly seals?: AgentSeals,
  ) {
    this.#agents = statesOf(module.initial, (agent) => snapshots.get(agent), seals);
    this.#seq = snapshots.position?.seq ?? 0;
    this.#savedSeq = this.#seq;
    this.#writer = new WriteBehind({
      write: () => this.#save(),
      onFailing: (reason) =>
        say(`snapshots cannot be written, the log is complete without them; they fall behind: ${reason}`),
      onWorking: () => say('snapshots are written again'),
    });
  }

  /** Agents whose state is held in memory. */
  get size(): number {
    return this.#agents.size;
  }

  /** Changes that wait to be written. */
  get waiting(): number {
    return this.#agents.waiting;
  }

  /** Whether so much waits to be written that a fold of the past should wait until there is {@link room}. */
  get isFull(): boolean {
    const { waiting, waitingAgents } = this.#agents;
    return waiting >= FULL_CHANGES || (waitingAgents >= FULL_AGENTS && !this.#waitingSpares);
  }

  get(agent: string): unknown {
    return this.#agents.get(agent).state;
  }

  /**
   * Folds events into the state of their agent. What comes of it counts once it is kept, at the sequence of the record
   * that has the events: before that it only shows that the module can fold them. Throws what the module's code throws.
   */
  fold(agent: string, events: readonly AnyEvent[]): (seq: number, timeMs: number) => void {
    // An agent that nothing happens to is not looked up: its name may be none, and too long for a key.
    const happened = events.length > 0;
    const state = happened ? foldEvents(this.module, this.get(agent), events) : undefined;
    return (seq, timeMs) => {
      if (seq > this.#seq) this.#seq = seq;
      if (happened) this.#agents.change(agent, seq, timeMs, state);
      if (!this.#writer.isPlanned) this.#plan();
    };
  }

  /** Folds one record's events into its agent's state; a record that is in it already changes nothing. */
  apply(agent: string, seq: number, timeMs: number, events: readonly AnyEvent[]): void {
    const isNew = events.length > 0 && seq > this.#agents.get(agent).seq;
    this.fold(agent, isNew ? events : [])(seq, timeMs);
  }

  /** Resolves when more may wait: the next group is folded while one is written. */
  room(): Promise<void> {
    if (this.#writer.isWriting) return this.#writer.idle();
    void this.#writer.flush();
    return Promise.resolve();
  }

  /** Resolves when all that was folded so far is written, or cannot be. */
  async saved(): Promise<void> {
    do await this.#writer.flush();
    while (this.#isBehind && !this.#writer.isFailing);
  }

  /** Writes what is not written and stops. */
  async close(): Promise<void> {
    await this.saved();
    this.#writer.stop();
  }

  get #isBehind(): boolean {
    return this.#savedSeq < this.#seq && !this.#gaveUp;
  }

  #plan(): void {
    this.#writer.within(this.isFull ? 0 : this.#pauseUntil - performance.now());
  }

  #save(): Promise<E.Either<string, void>> | undefined {
    if (!this.#isBehind) return undefined;
    const begun = performance.now();
    const [taken, seq] = [this.#agents.take(), this.#seq];
    const keys = this.seals === undefined ? {} : { seals: this.seals.id };
    const position = { seq, logId: this.logId, ...namesCode(this.module), ...keys };
    failPoint('host.snapshot-begun');
    const inPause = (taken.waiting * LONGEST_PAUSE_MS) / (begun - this.#begun);
    this.#begun = begun;
    this.#waitingSpares = inPause > this.size;
    const isLarge = taken.changes.length > LARGE_GROUP && this.#waitingSpares;
    const encodedMs = performance.now() - begun;
    return this.snapshots.commit({ changes: taken.changes, position }).then((outcome) => {
      if (E.isLeft(outcome)) {
        this.#waitAgain(taken);
        return outcome;
      }
      failPoint('host.snapshot-written');
      this.#savedSeq = seq;
      const now = performance.now();
      const tookMs = isLarge ? now - begun : encodedMs;
      const pauseMs = Math.min(LONGEST_PAUSE_MS, tookMs * WRITING_SHARE);
      this.#pauseUntil = now + (taken.waiting < FEW_CHANGES ? Math.max(FEW_PAUSE_MS, pauseMs) : pauseMs);
      this.#agents.written(taken);
      if (this.#isBehind) this.#plan();
      return outcome;
    });
  }

  /** Puts what was not written back before what came since; until it is, a start folds a little more of the log. */
  #waitAgain(taken: TakenChanges): void {
    this.#agents.waitAgain(taken);
    if (this.waiting <= MAX_WAITING) return;
    this.#gaveUp = true;
    this.#agents.giveUp();
    this.say(`${this.waiting} changes wait for snapshots: none are written until the module starts again`);
  }
}
