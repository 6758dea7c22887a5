import type { IndexTable } from '../../store/log-index/index-files.js';
import type { KeptRows } from './kept-rows.js';
import { Overlay, type OverlayRow } from './overlay.js';

/** A table of the index that lies in the files; in memory is what has changed since. */
export abstract class KeptTable<Id, R extends OverlayRow> {
  protected readonly rows = new Overlay<Id, R>();

  /** Rows that are to be written. */
  get changes(): number {
    return this.rows.size;
  }

  /** What was taken is in the files. */
  kept(): void {
    this.rows.kept();
  }

  /** What was taken could not be written. */
  putBack(): void {
    this.rows.putBack();
  }
}

/** A table that knows how many rows it has, those in the files included. */
export abstract class CountedTable<Id, R extends OverlayRow> extends KeptTable<Id, R> {
  protected count = 0;

  constructor(
    protected readonly files: KeptRows,
    private readonly table: IndexTable,
  ) {
    super();
  }

  get size(): number {
    return this.count;
  }

  /** Takes in how many the files have. */
  load(): void {
    this.count = this.files.count(this.table);
  }
}
