import type { RowChanges } from './index-store.js';
import type { KeptRows } from './kept-rows.js';
import { Overlay, Row } from './overlay.js';

class WholeRow extends Row {
  constructor(readonly seq: number) {
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

  /** The sequence up to which nothing is missing; 0 where nobody has looked. */
  of(module: string): number {
    return this.#rows.find(module)?.seq ?? this.files.row('whole', module, Number) ?? 0;
  }

  /** A repair has stored what was missing up to a sequence. */
  upTo(module: string, seq: number): void {
    if (seq > this.of(module)) this.#rows.changed(module, new WholeRow(seq));
  }

  take(): RowChanges {
    return [...this.#rows.take()].map(([module, { seq }]) => [module, String(seq)]);
  }

  kept(): void {
    this.#rows.kept();
  }

  putBack(): void {
    this.#rows.putBack();
  }
}
