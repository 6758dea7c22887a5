import { isName } from '../../schemas/names.js';
import type { RowChanges } from './index-store.js';
import type { KeptRows } from './kept-rows.js';
import { CountedTable } from './kept-table.js';
import { OverlayRow } from './overlay.js';

class AgentRow extends OverlayRow {}

/** Agents that are remembered to be known, at least: what is looked for most need not be looked up in the files. */
const REMEMBERED = 50_000;

/** Which agents have events. All of them are in the files; in memory are those that were met lately. */
export class KnownAgents extends CountedTable<string, AgentRow> {
  #lately = new Set<string>();
  #before = new Set<string>();

  constructor(files: KeptRows) {
    super(files, 'agents');
  }

  add(module: string, agent: string): void {
    const key = `${module}/${agent}`;
    if (this.#lately.has(key)) return;
    // A part of a subject can be what no key of a database may be; a name can.
    if (!this.#before.has(key) && (!isName(agent) || !isName(module))) return;
    this.#remember(key);
    if (this.#before.has(key) || this.#isKnown(key)) return;
    this.rows.changed(key, new AgentRow());
    this.count += 1;
  }

  take(): RowChanges {
    return [...this.rows.take().keys()].map((key) => [key, '']);
  }

  #isKnown(key: string): boolean {
    return this.rows.find(key) !== undefined || this.files.row('agents', key, () => true) === true;
  }

  #remember(key: string): void {
    if (this.#lately.size === REMEMBERED) {
      this.#before = this.#lately;
      this.#lately = new Set();
    }
    this.#lately.add(key);
  }
}
