import { readOutcome } from './trace-outcome.js';
import type { TraceRecord } from './trace-record.js';

/**
 * Folds whether all of a conversation has been seen: a command is open until its result, a result names the copies
 * that must follow, and what they cause is named by the results of those copies. So the end is known from the records
 * alone, without reading on, but for what joins the conversation from outside: who names it, and redrives of its dead
 * letters.
 */
export class ConversationEnd {
  readonly #open = new Set<number>();
  /** Copies that are still to come, by cause and number. */
  readonly #promised = new Set<string>();
  /** Copies that came before their result, in a log that is not ours. */
  readonly #early = new Set<string>();
  #hasBegun = false;
  #dead = 0;

  constructor(private readonly conversation: number) {}

  /** All that follows from the first record has been seen. */
  get isReached(): boolean {
    return this.#hasBegun && this.#open.size === 0 && this.#promised.size === 0;
  }

  /** Dead letters: any of them can be redriven later. */
  get dead(): number {
    return this.#dead;
  }

  add(record: TraceRecord): void {
    const { seq, kind, cause, part } = record;
    if (seq === this.conversation) this.#hasBegun = true;
    if (kind === 'cmd') this.#open.add(seq);
    if (kind === 'res') return this.#result(record);
    if (cause === null || part === null) return;
    const copy = `${cause}/${part.i}`;
    if (!this.#promised.delete(copy)) this.#early.add(copy);
  }

  #result(result: TraceRecord): void {
    const { cause } = result;
    // Only the first result of a command counts.
    if (cause === null || !this.#open.delete(cause)) return;
    if (result.dead !== null) this.#dead += 1;
    for (const i of readOutcome(result).out.keys()) {
      const copy = `${cause}/${i + 1}`;
      if (!this.#early.has(copy)) this.#promised.add(copy);
    }
  }
}
