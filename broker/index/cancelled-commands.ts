import type { CancelledCommand } from '../../schemas/cancel.js';
import type { TableKey } from '../../store/log-index/index-files.js';
import type { RowChanges } from './index-store.js';
import type { KeptRows } from './kept-rows.js';
import { KeptTable } from './kept-table.js';
import { OverlayRow } from './overlay.js';

class CancelledRow extends OverlayRow {
  constructor(
    readonly module: string,
    readonly cancelled: CancelledCommand,
  ) {
    super();
  }
}

/** Rows that are read at a time. */
const PAGE = 1_000;
const END = Number.MAX_SAFE_INTEGER;

/** Cancelled commands that have no result yet, by their module. */
export class CancelledCommands extends KeptTable<number, CancelledRow> {
  constructor(private readonly files: KeptRows) {
    super();
  }

  get(module: string, command: number): CancelledCommand | undefined {
    const row = this.#find(module, command);
    return row?.isThere === true ? row.cancelled : undefined;
  }

  add(module: string, cancelled: CancelledCommand): void {
    this.rows.changed(cancelled.command, new CancelledRow(module, cancelled));
  }

  /** The command has its result. */
  answered(module: string, command: number): void {
    const row = this.#find(module, command);
    if (row !== undefined) this.rows.gone(command, row);
  }

  /** Those of a module behind a command, in the order of the log. */
  page(module: string, after: number, limit: number): readonly CancelledCommand[] {
    const changed = new Map(this.rows.rows());
    const range = { after: [module, after], before: [module, END] };
    const kept = this.files.page('cancelled', range, limit, (key, text) => {
      const command = Number((key as readonly TableKey[])[1]);
      return changed.has(command) ? undefined : (JSON.parse(text) as CancelledCommand);
    });
    const fresh = [...changed.values()].filter(
      (row) => row.isThere && row.module === module && row.cancelled.command > after,
    );
    return [...kept, ...fresh.map(({ cancelled }) => cancelled)]
      .sort((a, b) => a.command - b.command)
      .slice(0, limit);
  }

  /** The commands of all modules. */
  *all(): IterableIterator<number> {
    for (let [module, command, more] = ['', 0, true]; more; ) {
      const range = { after: [module, command] };
      const page: readonly TableKey[] = this.files.page('cancelled', range, PAGE, (key) => key);
      for (const key of page) {
        [module, command] = key as unknown as [string, number];
        if (this.get(module, command) !== undefined) yield command;
      }
      more = page.length === PAGE;
    }
    for (const [command, row] of this.rows.rows()) if (row.isThere && !row.isKept) yield command;
  }

  take(): RowChanges {
    return [...this.rows.take()].map(([command, { module, cancelled, isThere }]) => [
      [module, command],
      isThere ? JSON.stringify(cancelled) : null,
    ]);
  }

  #find(module: string, command: number): CancelledRow | undefined {
    const changed = this.rows.find(command);
    if (changed !== undefined) return changed;
    const kept = this.files.row(
      'cancelled',
      [module, command],
      (text) => JSON.parse(text) as CancelledCommand,
    );
    if (kept === undefined) return undefined;
    const row = new CancelledRow(module, kept);
    row.isKept = true;
    return row;
  }
}
