import { basename } from 'node:path';
import { makeDirs } from '../../system/files/make-dirs.js';
import { type DamagedSnapshot, Generation } from './generation.js';
import { Generations, isGeneration } from './generations.js';
import { removeDeadScratch } from './scratch-folds.js';
import { whyUnusable } from '../lmdb/why-unusable.js';
import { setAsideDerived } from '../../system/files/set-aside.js';

/**
 * The snapshots of one module, for the process that writes them: its host. Written in a thread, read at once. A
 * snapshot is a means to start fast and to be looked up, and never the truth: that is the log.
 */
export class Snapshots {
  readonly #generations: Generations;
  /** Told before a read throws: the next process that opens these snapshots folds the log again. */
  onDamaged: (error: DamagedSnapshot) => void = () => undefined;
  #open: Generation | undefined;

  private constructor(
    dir: string,
    private readonly say: (line: string) => void,
  ) {
    this.#generations = new Generations(dir);
  }

  /**
   * Opens the newest that can be used, else starts over. `lastExit`: how the module's last process ended; one that
   * died in LMDB's own code did so on these files. Throws when nothing can be written.
   */
  static async open(dir: string, lastExit: string, say: (line: string) => void): Promise<Snapshots> {
    makeDirs(dir);
    removeDeadScratch(dir);
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

  /** The one that is open, to read and to write; another one from {@link begin} on. */
  get generation(): Generation {
    if (this.#open === undefined) throw new Error('the snapshots are closed');
    return this.#open;
  }

  /** Starts over, empty. Readers see the old snapshots until {@link publish}. */
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
    const name = basename(this.generation.dir);
    if (this.#generations.current === name) return;
    this.#generations.publish(name);
    this.#generations.prune(name);
  }

  /** All is on disk when it resolves. */
  async close(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    await open?.close();
  }

  #whyNot(name: string, lastExit: string): string | undefined {
    // LMDB reads what the file says: a damaged one ends the process, again and again.
    if (/SIGSEGV|SIGBUS|SIGABRT/.test(lastExit))
      return `the last process of the module ended with ${lastExit}`;
    return whyUnusable(this.#generations.path(name));
  }

  #setAside(name: string, why: string): void {
    this.#generations.withdraw();
    const aside = setAsideDerived(this.#generations.path(name), {
      isOriginal: isGeneration,
      oldName: 'damaged',
    });
    this.say(`${why}: the snapshots are kept as ${aside} and the states are folded from the log again`);
  }

  async #use(name: string): Promise<void> {
    this.#open = await Generation.open(this.#generations.path(name), this.say, (error) =>
      this.onDamaged(error),
    );
  }
}
