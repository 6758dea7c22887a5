import type { StoredMessage } from '../../schemas/record.js';
import type { TableKey } from '../../store/log-index/index-files.js';
import type { RowChanges } from './index-store.js';
import type { KeptRows } from './kept-rows.js';
import { KeptTable } from './kept-table.js';
import { OverlayRow } from './overlay.js';
import { letterRedrivenBy } from './redriven-letter.js';

class RedriveRow extends OverlayRow {
  constructor(
    readonly letter: number,
    /** Sequence of the result; 0: none yet. */
    public result: number,
  ) {
    super();
  }
}

/** Commands of one letter that are looked at. */
const MOST = 10_000;

/**
 * Which commands redrive which dead letters, folded from the log: it alone knows whether a redrive that a crash cut
 * off was recorded. Any sender can write these headers on its command, so a user of an entry checks the record first.
 */
export class Redrives extends KeptTable<number, RedriveRow> {
  /** By the command that redrives. */
  /** No command above this redrives: most results need not be looked up. */
  #highest = 0;

  constructor(private readonly files: KeptRows) {
    super();
  }

  /** Takes in how far the files know. */
  load(): void {
    this.#highest = this.files.highest('redriven');
  }

  /** Commands that say they redrive this letter, in order; of very many the first. */
  of(letter: number): readonly number[] {
    const range = { after: [letter, 0], before: [letter, Number.MAX_SAFE_INTEGER] };
    const commandOf = (key: TableKey): number => Number((key as readonly TableKey[])[1]);
    const commands = new Set(this.files.page('redrives', range, MOST, commandOf));
    for (const [command, row] of this.rows.rows()) if (row.letter === letter) commands.add(command);
    return [...commands].sort((a, b) => a - b).slice(0, MOST);
  }

  /** Sequence of the result of a command that redrives; undefined while it has none, or redrives nothing. */
  resultOf(command: number): number | undefined {
    return this.#find(command)?.result || undefined;
  }

  command(message: StoredMessage): void {
    const letter = letterRedrivenBy(message);
    if (letter === undefined) return;
    this.rows.changed(message.seq, new RedriveRow(letter, 0));
    this.#highest = message.seq;
  }

  /** A command has its result, whether or not it redrives anything. */
  answered(command: number, result: number): void {
    const row = this.#find(command);
    if (row === undefined) return;
    row.result = result;
    this.rows.changed(command, row);
  }

  take(): { readonly redrives: RowChanges; readonly redriven: RowChanges } {
    const rows = [...this.rows.take()];
    return {
      redrives: rows.map(([command, { letter, result }]) => [[letter, command], String(result)]),
      redriven: rows.map(([command, { letter }]) => [command, String(letter)]),
    };
  }

  #find(command: number): RedriveRow | undefined {
    if (command > this.#highest) return undefined;
    const row = this.rows.find(command);
    if (row !== undefined) return row;
    const letter = this.files.row('redriven', command, Number);
    if (letter === undefined) return undefined;
    const kept = new RedriveRow(letter, this.files.row('redrives', [letter, command], Number) ?? 0);
    kept.isKept = true;
    return kept;
  }
}
