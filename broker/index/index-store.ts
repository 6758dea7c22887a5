import { markSynced, markUnsynced } from '../lmdb/boot.js';
import { Opening } from '../lmdb/opening.js';
import {
  AGENT,
  FIRED,
  type IndexFiles,
  type IndexPosition,
  openToWrite,
  putPosition,
  REDRIVE,
} from './index-files.js';

/** One transaction. */
export interface IndexChange {
  /** What is there is thrown away first. */
  readonly anew: boolean;
  /** Agents that were not known, `<module>/<agent>`. */
  readonly agents: readonly string[];
  readonly fired: readonly (readonly [schedule: string, nextMs: number])[];
  readonly redrives: readonly (readonly [key: string, result: number])[];
  /** What became of conversations: JSON, or null where one has ended. */
  readonly conversations: readonly (readonly [conversation: number, json: string | null])[];
  readonly position: IndexPosition;
}

/**
 * The files of the index, to be written: in a thread of its own. All that the log said up to a position, and the position,
 * are one transaction: a broker that is killed neither skips a record nor reads one twice.
 */
export class IndexStore {
  readonly #opening: Opening;
  readonly #files: IndexFiles;

  /** Throws when it cannot be opened. */
  constructor(private readonly dir: string) {
    markUnsynced(dir);
    this.#opening = new Opening(dir);
    this.#files = openToWrite(this.#opening, dir);
  }

  /** Throws when it cannot be committed; then nothing of it is. */
  commit(change: IndexChange): void {
    this.#opening.alone(() => this.#files.root.transactionSync(() => this.#put(change)));
  }

  /** All is on disk when it resolves. */
  async close(): Promise<void> {
    await this.#files.root.close();
    await this.#opening.close();
    markSynced(this.dir);
  }

  #put({ anew, agents, fired, redrives, conversations, position }: IndexChange): void {
    const { root, conversations: open } = this.#files;
    if (anew) {
      open.clearSync();
      for (const prefix of [AGENT, FIRED, REDRIVE]) {
        for (const key of [...root.getKeys({ start: prefix, end: `${prefix}~` })]) root.removeSync(key);
      }
    }
    for (const key of agents) root.putSync(AGENT + key, true);
    for (const [schedule, nextMs] of fired) root.putSync(FIRED + schedule, nextMs);
    for (const [key, result] of redrives) root.putSync(REDRIVE + key, result);
    for (const [conversation, json] of conversations) {
      if (json === null) open.removeSync(conversation);
      else open.putSync(conversation, Buffer.from(json));
    }
    putPosition(this.#files, position);
  }
}
