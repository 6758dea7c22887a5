import { markDamaged } from '../../store/lmdb/synced-mark.js';
import type { FreshReads } from '../../store/lmdb/fresh-reads.js';
import { FaultError, fault } from '../../schemas/errors.js';
import type { IndexFiles, IndexTable, TableKey } from '../../store/log-index/index-files.js';

/** The files while they are open, and hold what the index says. */
export interface ReadableFiles {
  readonly files: IndexFiles;
  readonly reads: FreshReads;
}

/** Which keys of a table, in order. */
export interface KeyRange {
  /** Behind this one. */
  readonly after: TableKey;
  /** Below this one. */
  readonly before?: TableKey;
}

/** What the files of the index have, as it was committed last; nothing where there are none. */
export class KeptRows {
  #files: ReadableFiles | undefined;

  constructor(private readonly dir: string) {}

  /** Reads these files from now on; undefined: there are none that hold what the index says. */
  readFrom(files: ReadableFiles | undefined): void {
    this.#files = files;
  }

  /** The row of a key, as `parse` reads its text. Throws DATA_DIR_UNUSABLE where it is damaged. */
  row<T>(table: IndexTable, key: TableKey, parse: (text: string) => T): T | undefined {
    const open = this.#files;
    if (open === undefined) return undefined;
    const { files, reads } = open;
    try {
      const bytes = reads.bytes(files.tables[table], key);
      return bytes === undefined ? undefined : this.#parsed(bytes.toString(), parse);
    } finally {
      reads.done();
    }
  }

  /** The first rows of a range, in the order of their keys: so many at most, of those that are wanted. */
  page<T>(
    table: IndexTable,
    { after, before }: KeyRange,
    limit: number,
    parse: (key: TableKey, text: string) => T | undefined,
  ): readonly T[] {
    const open = this.#files;
    if (open === undefined) return [];
    const { files, reads } = open;
    const found: T[] = [];
    const range = { start: after, exclusiveStart: true, ...(before === undefined ? {} : { end: before }) };
    try {
      if (limit <= 0) return found;
      for (const { key, value } of files.tables[table].getRange({ ...range, ...reads.options })) {
        const row = this.#parsed(value.toString(), (text) => parse(key, text));
        if (row === undefined) continue;
        found.push(row);
        if (found.length === limit) break;
      }
      return found;
    } finally {
      reads.done();
    }
  }

  /** The last row whose key is `[first, number]`. */
  last<T>(table: IndexTable, first: string, parse: (key: TableKey, text: string) => T): T | undefined {
    const open = this.#files;
    if (open === undefined) return undefined;
    const { files, reads } = open;
    const range = { start: [first, Number.MAX_SAFE_INTEGER], end: [first, 0], reverse: true, limit: 1 };
    try {
      for (const { key, value } of files.tables[table].getRange({ ...range, ...reads.options }))
        return this.#parsed(value.toString(), (text) => parse(key, text));
      return undefined;
    } finally {
      reads.done();
    }
  }

  /** The highest key of a table of numbers; 0 without any. */
  highest(table: IndexTable): number {
    const open = this.#files;
    if (open === undefined) return 0;
    const { files, reads } = open;
    try {
      const [last = 0] = [...files.tables[table].getKeys({ reverse: true, limit: 1, ...reads.options })];
      return Number(last);
    } finally {
      reads.done();
    }
  }

  count(table: IndexTable): number {
    const open = this.#files;
    if (open === undefined) return 0;
    return open.reads.count(open.files.tables[table]);
  }

  /** Nothing of files that are damaged is believed: the next start sets them aside and reads the log again. */
  #parsed<T>(text: string, parse: (text: string) => T): T {
    try {
      return parse(text);
    } catch (error) {
      markDamaged(this.dir);
      const why = (error as Error).message;
      throw new FaultError(
        fault(
          'DATA_DIR_UNUSABLE',
          `${this.dir} is damaged (${why}): start the broker again, it makes it new`,
        ),
      );
    }
  }
}
