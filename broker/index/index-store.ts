import { markSynced, markUnsynced } from '../../store/lmdb/synced-mark.js';
import { Opening } from '../../store/lmdb/opening.js';
import {
  type IndexFiles,
  type IndexPosition,
  openIndexToWrite,
  indexPosition,
  putPosition,
  TABLES,
  type IndexTable,
  type TableKey,
} from '../../store/log-index/index-files.js';

/** What becomes of the rows of a table: the text of each, or null where it is taken out. */
export type RowChanges = readonly (readonly [key: TableKey, text: string | null])[];

/** What one group takes to the files. */
export interface IndexContentsChange {
  readonly rows: Readonly<Partial<Record<IndexTable, RowChanges>>>;
  /** How many commands more, or fewer, of each module are open. */
  readonly counts: readonly (readonly [module: string, more: number])[];
}

/** One transaction. */
export interface IndexChange extends IndexContentsChange {
  /** What is there is thrown away first. */
  readonly startsOver: boolean;
  readonly position: IndexPosition;
}

/** Walks through what a process left that was killed: what takes LMDB down takes it down here, before it is used. */
const walk = ({ tables }: IndexFiles): void => {
  for (const name of TABLES) for (const _ of tables[name].getRange({ snapshot: false })) void _;
};

/**
 * The files of the index, to be written: in a separate thread. Everything of the log up to a position, and the
 * position, are one transaction: a broker that is killed neither skips a record nor reads one twice.
 */
export class IndexStore {
  readonly #opening: Opening;
  readonly #files: IndexFiles;

  /** `wasKilled`: the last process did not close the files. Throws when they cannot be opened. */
  constructor(
    private readonly dir: string,
    wasKilled = false,
  ) {
    markUnsynced(dir);
    this.#opening = new Opening(dir);
    this.#files = openIndexToWrite(this.#opening, dir);
    if (wasKilled && typeof indexPosition(this.#files) === 'object') walk(this.#files);
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

  #put({ startsOver, rows, counts, position }: IndexChange): void {
    const { tables } = this.#files;
    if (startsOver) for (const name of TABLES) tables[name].clearSync();
    for (const [name, changes] of Object.entries(rows)) {
      const table = tables[name as IndexTable];
      for (const [key, text] of changes) {
        if (text === null) table.removeSync(key);
        else table.putSync(key, Buffer.from(text));
      }
    }
    for (const [module, more] of counts) {
      const count = Number(tables.counts.get(module)?.toString() ?? 0) + more;
      if (count > 0) tables.counts.putSync(module, Buffer.from(String(count)));
      else tables.counts.removeSync(module);
    }
    putPosition(this.#files, position);
  }
}
