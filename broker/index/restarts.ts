import { HEADER } from '../../schemas/headers.js';
import { parseSequence } from '../../schemas/identity.js';
import { causeOf, type StoredMessage } from '../../schemas/record.js';
import { type KeptOperation, parseKept } from '../../schemas/restart.js';
import { type Address, addressText } from '../../schemas/subjects.js';
import type { RowChanges } from './index-store.js';
import type { KeptRows } from './kept-rows.js';
import { KeptTable } from './kept-table.js';
import { OverlayRow } from './overlay.js';
import { letterRedrivenBy } from './redriven-letter.js';

/** That a command was restarted. */
export interface KnownRestart {
  /** Sequence of its record. */
  readonly restart: number;
  /** MODULE.ACTION[.AGENT] of the command. */
  readonly address: string;
  /** What the new command keeps, as the header has it. */
  readonly kept: string;
  /** Sequence of the new command; 0: it is not stored yet. */
  readonly command: number;
}

/** What a command has of the one that it restarts. */
export interface KeptPast {
  readonly before: number;
  readonly kept: readonly KeptOperation[];
}

class RestartRow extends OverlayRow {
  constructor(public known: KnownRestart) {
    super();
  }
}

/** Rows that are read at a time. */
const PAGE = 1_000;

/** Which commands were restarted, by the command that ran before; folded from the log, which alone knows. */
export class Restarts extends KeptTable<number, RestartRow> {
  constructor(private readonly files: KeptRows) {
    super();
  }

  /** The restart of a command; the first one counts. */
  of(before: number): KnownRestart | undefined {
    return this.#find(before)?.known;
  }

  /** Commands whose restart has no new command yet. */
  *pending(): IterableIterator<number> {
    for (let [after, more] = [0, true]; more; ) {
      const page = this.files.page('restarts', { after }, PAGE, (key) => Number(key));
      for (const before of page) if (this.of(before)?.command === 0) yield before;
      after = page.at(-1) ?? after;
      more = page.length === PAGE;
    }
    for (const [before, { known, isKept }] of this.rows.rows())
      if (!isKept && known.command === 0) yield before;
  }

  /** A record that restarts a command. No other account than the broker's can write its subject. */
  restarted(message: StoredMessage, address: Address): void {
    const before = causeOf(message);
    if (before === undefined || this.#find(before) !== undefined) return;
    const kept = message.header(HEADER.kept) ?? '';
    const known = { restart: message.seq, address: addressText(address), kept, command: 0 };
    this.rows.changed(before, new RestartRow(known));
  }

  /** What a command keeps of another one, if the broker has restarted that one as this; undefined: nothing. */
  command(message: StoredMessage, address: Address): KeptPast | undefined {
    const restart = parseSequence(message.header(HEADER.restart) ?? '');
    const before = restart === undefined ? undefined : letterRedrivenBy(message);
    const row = before === undefined ? undefined : this.#find(before);
    if (before === undefined || row === undefined) return undefined;
    const { known } = row;
    const isMeant =
      known.restart === restart && known.command === 0 && known.address === addressText(address);
    if (!isMeant) return undefined;
    row.known = { ...known, command: message.seq };
    this.rows.changed(before, row);
    return { before, kept: parseKept(known.kept) ?? [] };
  }

  take(): RowChanges {
    return [...this.rows.take()].map(([before, { known }]) => [before, JSON.stringify(known)]);
  }

  #find(before: number): RestartRow | undefined {
    const changed = this.rows.find(before);
    if (changed !== undefined) return changed;
    const known = this.files.row('restarts', before, (text) => JSON.parse(text) as KnownRestart);
    if (known === undefined) return undefined;
    const row = new RestartRow(known);
    row.isKept = true;
    return row;
  }
}
