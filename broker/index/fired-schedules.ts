import type { RowChanges } from './index-store.js';
import type { KeptRows } from './kept-rows.js';
import { KeptTable } from './kept-table.js';
import { OverlayRow } from './overlay.js';

class FiredRow extends OverlayRow {
  constructor(readonly nextMs: number) {
    super();
  }
}

/** How far each schedule has come by what of it is in the log. */
export class FiredSchedules extends KeptTable<string, FiredRow> {
  constructor(private readonly files: KeptRows) {
    super();
  }

  /** The due time behind the last firing that the log has, milliseconds since 1970; undefined when it has none. */
  last(schedule: string): number | undefined {
    return this.rows.find(schedule)?.nextMs ?? this.files.row('fired', schedule, Number);
  }

  /** The log has what this schedule sent up to a firing, which its next due time names. */
  fired(schedule: string, nextMs: number): void {
    if ((this.last(schedule) ?? -1) < nextMs) this.rows.changed(schedule, new FiredRow(nextMs));
  }

  take(): RowChanges {
    return [...this.rows.take()].map(([schedule, { nextMs }]) => [schedule, String(nextMs)]);
  }
}
