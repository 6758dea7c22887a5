import { causeOf, type StoredMessage } from '../../schemas/record.js';

/** Where a module's events lie that no command caused: from its first to its last, sequences. */
export type UncausedStretch = readonly [module: string, from: number, to: number];

/**
 * In which part of the log each module has events that no command caused. All other events are copies of what results
 * hold: a fold of states need not read those, and most modules have no others.
 */
export class UncausedEvents {
  readonly #ends = new Map<string, { from: number; to: number }>();

  /** An event of a module; in any order, and as often as it is read. */
  event(module: string, message: Pick<StoredMessage, 'seq' | 'header'>): void {
    if (causeOf(message) !== undefined) return;
    const { seq } = message;
    const ends = this.#ends.get(module);
    if (ends === undefined) this.#ends.set(module, { from: seq, to: seq });
    else {
      ends.from = Math.min(ends.from, seq);
      ends.to = Math.max(ends.to, seq);
    }
  }

  /** Takes in what was kept. */
  load(stretches: readonly UncausedStretch[]): void {
    for (const [module, from, to] of stretches) this.#ends.set(module, { from, to });
  }

  get stretches(): readonly UncausedStretch[] {
    return [...this.#ends].map(([module, { from, to }]) => [module, from, to]);
  }
}
