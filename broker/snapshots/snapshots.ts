import { mkdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { StoreThread } from '../lmdb/store-thread.js';
import { whyUnusable } from '../lmdb/usable.js';
import { Opening } from '../lmdb/opening.js';
import { Generations } from './generations.js';
import type { Group } from './group.js';
import { agentKey, openToRead, type SnapshotFiles, type SnapshotPosition } from './snapshot-files.js';
import { SnapshotView } from './snapshot-value.js';
import type { SnapshotWorkerOptions } from './snapshot-worker.js';

/** An agent's state and the sequence of the last record that changed it. */
export interface Snapshot {
  readonly seq: number;
  readonly state: unknown;
  /** Changes since the last snapshot of it that was kept. */
  readonly changes: number;
}

type Thread = StoreThread<Group, SnapshotPosition | undefined>;

const PROGRAM = new URL('./snapshot-worker.js', import.meta.url);

/** A generation that is open to be written. */
interface Open {
  readonly name: string;
  readonly thread: Thread;
  readonly opening: Opening;
  readonly files: SnapshotFiles;
}

/**
 * The snapshots of one module, for the process that writes them: its host. Written in a thread, read at once. A snapshot is
 * a means to start fast and to be looked up, and never the truth: that is the log.
 */
export class Snapshots {
  readonly #generations: Generations;
  readonly #view = new SnapshotView();
  #open: Open | undefined;
  #position: SnapshotPosition | undefined;

  private constructor(
    dir: string,
    private readonly say: (line: string) => void,
  ) {
    this.#generations = new Generations(dir);
  }

  /**
   * Opens the newest that can be used, else begins anew. `lastExit`: how the module's last process ended; one that died in
   * LMDB's own code did so on these files. Throws when nothing can be written.
   */
  static async open(dir: string, lastExit: string, say: (line: string) => void): Promise<Snapshots> {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    const snapshots = new Snapshots(dir, say);
    const name = snapshots.#generations.newest;
    const why = name === undefined ? undefined : snapshots.#whyNot(name, lastExit);
    if (name !== undefined && why === undefined) await snapshots.#use(name);
    else {
      if (name !== undefined && why !== undefined) snapshots.#setAside(name, why);
      await snapshots.begin();
    }
    return snapshots;
  }

  /** Where they stand; undefined when they are empty. */
  get position(): SnapshotPosition | undefined {
    return this.#position;
  }

  get(agent: string): Snapshot | undefined {
    const bytes = this.#files.files.agents.getBinaryFast(agentKey(agent));
    if (bytes === undefined) return undefined;
    const view = this.#view;
    if (!view.take(bytes)) throw new Error(`the snapshot of agent ${agent} is damaged`);
    return { seq: view.seq, state: JSON.parse(view.json()), changes: view.changes };
  }

  /** Writes a group; resolves when other processes can see it. Left: why it is not written. */
  async commit(group: Group): Promise<E.Either<string, void>> {
    const outcome = await this.#files.thread.commit(group);
    if (E.isRight(outcome)) this.#position = group.position;
    return outcome;
  }

  /** Begins anew, empty; readers see what they saw until {@link publish}. */
  async begin(): Promise<void> {
    await this.close();
    await this.#use(this.#generations.begin());
  }

  /** Readers must not see what there is: it is of another log, or ahead of this one. */
  withdraw(): void {
    this.#generations.withdraw();
  }

  /** Readers see these from now on, and those before are removed. */
  publish(): void {
    const { name } = this.#files;
    if (this.#generations.current === name) return;
    this.#generations.publish(name);
    this.#generations.prune(name);
  }

  /** All is on disk when it resolves. */
  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined) return;
    await open.files.root.close();
    await open.opening.close();
    await open.thread.close();
  }

  get #files(): Open {
    if (this.#open === undefined) throw new Error('the snapshots are closed');
    return this.#open;
  }

  #whyNot(name: string, lastExit: string): string | undefined {
    // LMDB reads what the file says: a damaged one ends the process, again and again.
    if (/SIGSEGV|SIGBUS|SIGABRT/.test(lastExit))
      return `the last process of the module ended with ${lastExit}`;
    return whyUnusable(this.#generations.path(name));
  }

  #setAside(name: string, why: string): void {
    const aside = join(this.#generations.dir, 'damaged');
    rmSync(aside, { recursive: true, force: true });
    this.#generations.withdraw();
    renameSync(this.#generations.path(name), aside);
    this.say(`${why}: the snapshots are kept as ${aside} and the states folded from the log anew`);
  }

  async #use(name: string): Promise<void> {
    const dir = this.#generations.path(name);
    const options: SnapshotWorkerOptions = { dir };
    const opened = await StoreThread.open<Group, SnapshotPosition | undefined>(PROGRAM, options, this.say);
    if (E.isLeft(opened)) throw new Error(`the snapshots in ${dir} cannot be opened: ${opened.left}`);
    // The thread has the database open already, and nothing is written yet: here it is only joined.
    this.#position = opened.right.opened;
    const opening = new Opening(dir);
    this.#open = { name, thread: opened.right, opening, files: openToRead(opening, dir) };
  }
}
