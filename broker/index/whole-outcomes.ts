import type { RowChanges } from './index-store.js';
import type { KeptRows } from './kept-rows.js';
import { Overlay, Row } from './overlay.js';

/** What is known of the outcomes of a module. */
export interface Whole {
  /** All up to this sequence have their copies. */
  readonly seq: number;
  /** Whether what ran as the module since then acknowledges a command only when its copies are stored. */
  readonly acksWhole: boolean;
}

class WholeRow extends Row {
  constructor(readonly whole: Whole) {
    super();
  }
}

/**
 * Up to where in the log all outcomes of a module have their copies: what a repair has gone through. An acknowledgement says
 * nothing of it, since anybody may acknowledge what he has not done.
 */
export class WholeOutcomes {
  readonly #rows = new Overlay<string, WholeRow>();

  constructor(private readonly files: KeptRows) {}

  get changes(): number {
    return this.#rows.size;
  }

  /** What the last repair left; undefined where none is known. */
  of(module: string): Whole | undefined {
    const parse = (text: string): Whole => JSON.parse(text) as Whole;
    return this.#rows.find(module)?.whole ?? this.files.row('whole', module, parse);
  }

  /** A repair has stored what was missing. */
  set(module: string, whole: Whole): void {
    this.#rows.changed(module, new WholeRow(whole));
  }

  take(): RowChanges {
    return [...this.#rows.take()].map(([module, { whole }]) => [module, JSON.stringify(whole)]);
  }

  kept(): void {
    this.#rows.kept();
  }

  putBack(): void {
    this.#rows.putBack();
  }
}
