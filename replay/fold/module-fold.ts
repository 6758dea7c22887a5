import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { AgentSeals } from '../../store/seals/agent-seals.js';
import { openedState, statesOf } from '../../store/snapshots/sealed-states.js';
import type { AgentStates, TakenChanges } from '../../store/snapshots/agent-states.js';
import { namesCode } from '../../store/snapshots/folded-elsewhere.js';
import { Generation, type StoredSnapshot } from '../../store/snapshots/generation.js';
import type { SnapshotPosition } from '../../store/snapshots/snapshot-files.js';
import { compileFoldable, foldEvents } from '../../modules/sdk/fold.js';
import type { ReadFoldable } from '../../modules/sdk/foldable.js';
import type { AnyModule } from '../../modules/sdk/module-shape.js';
import { type Fault, fault, toFault } from '../../schemas/errors.js';
import type { StoredMessage } from '../../schemas/record.js';

/**
 * The limits of a group: an agent that changes often is written once for many changes. No reader waits for these
 * snapshots, so groups may be large; what they hold is bounded by both numbers.
 */
const GROUP_AGENTS = 50_000;
const GROUP_CHANGES = 500_000;

/** The states of one module, folded from the log into separate snapshots, in a directory without readers. */
export class ModuleFold {
  readonly #states: AgentStates;
  /** The last record that the states take in; also where nothing changed by it. */
  #seq = 0;
  #changedSeq = 0;
  #changes = 0;
  #writing: Promise<Either<string, void>> | undefined;

  private constructor(
    readonly module: AnyModule,
    readonly generation: Generation,
    private readonly read: ReadFoldable,
    private readonly logId: string,
    private readonly seals: AgentSeals | undefined,
  ) {
    this.#states = statesOf(module.initial, (agent) => generation.get(agent), seals);
  }

  /** UPCAST_INVALID; DATA_DIR_UNUSABLE where the directory cannot be written. */
  static async open(
    module: AnyModule,
    dir: string,
    logId: string,
    seals?: AgentSeals,
  ): Promise<Either<Fault, ModuleFold>> {
    const read = compileFoldable(module, seals);
    if (isLeft(read)) return read;
    try {
      const generation = await Generation.open(dir, () => undefined);
      return right(new ModuleFold(module, generation, read.right, logId, seals));
    } catch (error) {
      return left(fault('DATA_DIR_UNUSABLE', toFault(error).message));
    }
  }

  get name(): string {
    return this.module.manifest.name;
  }

  /** Sequence of the last record that changed a state. */
  get changedSeq(): number {
    return this.#changedSeq;
  }

  /** Records that changed a state. */
  get changes(): number {
    return this.#changes;
  }

  /** Whether so much waits that it should be written. */
  get isFull(): boolean {
    const { waiting, waitingAgents } = this.#states;
    return waitingAgents >= GROUP_AGENTS || waiting >= GROUP_CHANGES;
  }

  get position(): SnapshotPosition {
    const keys = this.seals === undefined ? {} : { seals: this.seals.id };
    return { seq: this.#seq, logId: this.logId, ...namesCode(this.module), ...keys };
  }

  /** The state of an agent as it is folded so far, JSON, and the record that changed it last; 0: none did. */
  stateOf(agent: string): { readonly seq: number; readonly json: string } {
    const { seq, state } = this.#states.get(agent);
    return { seq, json: JSON.stringify(state) };
  }

  isErased(agent: string): boolean {
    return this.seals?.isErased(agent) === true;
  }

  /** The state of an agent as it is written; its values are decrypted. */
  stored(agent: string): StoredSnapshot | undefined {
    const stored = this.generation.stored(agent);
    if (stored === undefined || this.seals === undefined) return stored;
    const json = Buffer.from(openedState(this.seals, agent, Buffer.from(stored.json))).toString('utf8');
    return { ...stored, json };
  }

  /** Folds the next record; the agent that it changes, if it changes one. FOLD_FAILED, SCHEMA_TOO_NEW. */
  add(message: StoredMessage): Either<Fault, string | undefined> {
    const foldable = this.read(message);
    if (isLeft(foldable)) return foldable;
    if (foldable.right === undefined) return right(undefined);
    const { agent, events } = foldable.right;
    this.#seq = message.seq;
    if (events.length === 0) return right(undefined);
    try {
      const state = foldEvents(this.module, this.#states.get(agent).state, events);
      this.#states.change(agent, message.seq, message.timeMs, state);
    } catch (error) {
      const text = `record ${message.seq} of ${this.name} cannot be folded: ${toFault(error).message}`;
      return left(fault('FOLD_FAILED', text));
    }
    this.#changedSeq = message.seq;
    this.#changes += 1;
    return right(agent);
  }

  /** Begins to write what waits, once what is being written is. DATA_DIR_UNUSABLE. */
  async write(): Promise<Either<Fault, void>> {
    const before = await this.#written();
    if (isLeft(before)) return before;
    const taken: TakenChanges = this.#states.take();
    const writing = this.generation.commit({ changes: taken.changes, position: this.position });
    this.#writing = writing.then((outcome) => {
      if (!isLeft(outcome)) this.#states.written(taken);
      return outcome;
    });
    return right(undefined);
  }

  /** All that is folded can be read when it resolves. DATA_DIR_UNUSABLE. */
  async finish(): Promise<Either<Fault, void>> {
    const begun = await this.write();
    return isLeft(begun) ? begun : this.#written();
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.generation.close();
  }

  async #written(): Promise<Either<Fault, void>> {
    const outcome = await this.#writing;
    if (outcome === undefined || !isLeft(outcome)) return right(undefined);
    return left(fault('DATA_DIR_UNUSABLE', `${this.generation.dir} cannot be written: ${outcome.left}`));
  }
}
