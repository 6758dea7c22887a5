import * as E from 'fp-ts/lib/Either.js';
import { markDamaged } from '../lmdb/synced-mark.js';
import { Opening } from '../lmdb/opening.js';
import { StoreThread } from '../lmdb/store-thread.js';
import type { Snapshot } from './agent-states.js';
import { FreshReads } from '../lmdb/fresh-reads.js';
import type { Group } from './snapshot-group.js';
import {
  AGENTS_END,
  agentKey,
  agentOfKey,
  openSnapshotsToRead,
  type SnapshotFiles,
  type SnapshotPosition,
} from './snapshot-files.js';
import { SnapshotView } from './snapshot-value.js';
import type { SnapshotWorkerOptions } from './snapshot-worker.js';

type Thread = StoreThread<Group, SnapshotPosition | undefined>;

const PROGRAM = new URL('./snapshot-worker.js', import.meta.url);

/**
 * The data read, and all others of this generation, must not be used: the next process that opens it folds the log
 * again.
 */
export class DamagedSnapshot extends Error {
  override readonly name = 'DamagedSnapshot';
}

/** A snapshot as it was written. */
export interface StoredSnapshot {
  readonly seq: number;
  readonly schema: number;
  /** The bytes of its state: JSON. */
  readonly json: string;
}

/** One generation of a module's snapshots, open to be written, in a thread, and read at once. */
export class Generation {
  readonly #view = new SnapshotView();
  readonly #reads: FreshReads;
  #position: SnapshotPosition | undefined;

  private constructor(
    readonly dir: string,
    private readonly thread: Thread,
    private readonly opening: Opening,
    private readonly files: SnapshotFiles,
    private readonly onDamaged: (error: DamagedSnapshot) => void,
  ) {
    this.#position = thread.opened;
    // What is read must be what was committed last: a state that is older would be folded on.
    this.#reads = new FreshReads(files.root);
  }

  /** Opens the one in a directory, or makes it there; throws when it cannot be written. */
  static async open(
    dir: string,
    say: (line: string) => void,
    onDamaged: (error: DamagedSnapshot) => void = () => undefined,
  ): Promise<Generation> {
    const options: SnapshotWorkerOptions = { dir };
    const opened = await StoreThread.open<Group, SnapshotPosition | undefined>(PROGRAM, options, say);
    if (E.isLeft(opened)) throw new Error(`the snapshots in ${dir} cannot be opened: ${opened.left}`);
    // The thread has the database open already, and nothing is written yet: here it is only joined.
    const opening = new Opening(dir);
    return new Generation(dir, opened.right, opening, openSnapshotsToRead(opening, dir), onDamaged);
  }

  /** Where it stands; undefined when it is empty. */
  get position(): SnapshotPosition | undefined {
    return this.#position;
  }

  /** Throws {@link DamagedSnapshot}. */
  get(agent: string): Snapshot | undefined {
    return this.#read(agent, (view) => ({
      seq: view.seq,
      state: JSON.parse(view.json()),
      changes: view.changes,
    }));
  }

  stored(agent: string): StoredSnapshot | undefined {
    return this.#read(agent, (view) => ({ seq: view.seq, schema: view.schema, json: view.json() }));
  }

  /** Names of all agents, that of the module itself too, as they are when it is called. */
  agents(): readonly string[] {
    try {
      const { agents } = this.files;
      const keys = agents.getKeys({ start: agentKey(''), end: AGENTS_END, ...this.#reads.options });
      return [...keys].map((key) => agentOfKey(key as string));
    } finally {
      this.#reads.done();
    }
  }

  /** Writes a group; resolves when other processes can see it. Left: why it is not written. */
  async commit(group: Group): Promise<E.Either<string, void>> {
    const outcome = await this.thread.commit(group);
    if (E.isRight(outcome)) this.#position = group.position;
    return outcome;
  }

  /** All is on disk when it resolves. */
  async close(): Promise<void> {
    this.#reads.close();
    await this.files.root.close();
    await this.opening.close();
    await this.thread.close();
  }

  #read<T>(agent: string, from: (view: SnapshotView) => T): T | undefined {
    try {
      const bytes = this.#reads.bytes(this.files.agents, agentKey(agent));
      if (bytes === undefined) return undefined;
      if (!this.#view.take(bytes)) {
        markDamaged(this.dir);
        const damaged = new DamagedSnapshot(`the snapshot of agent ${agent} does not fit its checksum`);
        this.onDamaged(damaged);
        throw damaged;
      }
      return from(this.#view);
    } finally {
      this.#reads.done();
    }
  }
}
