import type { StoredMessage } from '../../schemas/record.js';
import type { RowChanges } from './index-store.js';
import type { KeptRows } from './kept-rows.js';
import type { OpenCommand } from './open-commands.js';
import { CountedTable } from './kept-table.js';
import { OverlayRow } from './overlay.js';

/** A command that is dead, and whose letter is not stored yet. */
export interface DueLetter {
  readonly command: Pick<OpenCommand, 'seq' | 'module' | 'name' | 'agent'>;
  /** Sequence of its result. */
  readonly result: number;
  /** When the result was stored: with its sequence it is known again, also in a log that lost its tail. */
  readonly time: string;
}

class LetterRow extends OverlayRow {
  constructor(readonly letter: DueLetter) {
    super();
  }
}

/** Dead letters that the log asks for and that are not stored yet: told again after a restart, until they are. */
export class DueLetters extends CountedTable<number, LetterRow> {
  constructor(
    files: KeptRows,
    private readonly onChange: () => void,
  ) {
    super(files, 'letters');
  }

  /** A result says that its command is dead. */
  add({ seq, module, name, agent }: OpenCommand, result: Pick<StoredMessage, 'seq' | 'time'>): void {
    const command = { seq, module, name, ...(agent === undefined ? {} : { agent }) };
    this.rows.changed(seq, new LetterRow({ command, result: result.seq, time: result.time }));
    this.count += 1;
  }

  /** The lowest ones, by their commands. */
  first(limit: number): readonly DueLetter[] {
    const changed = new Map(this.rows.rows());
    const kept = this.files.page('letters', { after: 0 }, limit, (key, text) =>
      changed.has(Number(key)) ? undefined : (JSON.parse(text) as DueLetter),
    );
    const fresh = [...changed.values()].filter(({ isThere }) => isThere).map(({ letter }) => letter);
    return [...kept, ...fresh].sort((a, b) => a.command.seq - b.command.seq).slice(0, limit);
  }

  /** The letter of a command is stored, or none can be made. */
  stored({ command, result, time }: DueLetter): void {
    const { seq } = command;
    const row = this.rows.find(seq);
    if (row?.isThere === false) return;
    const gone = row ?? new LetterRow({ command, result, time });
    if (row === undefined) gone.isKept = true;
    this.rows.gone(seq, gone);
    this.count -= 1;
    this.onChange();
  }

  take(): RowChanges {
    return [...this.rows.take()].map(([seq, row]) => [seq, row.isThere ? JSON.stringify(row.letter) : null]);
  }
}
