import Denque from 'denque';
import type { Scheduled } from './scheduled.js';
import type { Urgency } from './urgency.js';

/** Commands that wait, in the order in which they came. Those of an agent with an urgent command are taken first. */
export class WaitingLine<C extends Pick<Scheduled, 'agent'>> {
  readonly #waiting = new Denque<C>();

  constructor(private readonly urgency: Urgency) {}

  get length(): number {
    return this.#waiting.length;
  }

  add(command: C): void {
    this.#waiting.push(command);
  }

  take(): C | undefined {
    // Looked at when a command is taken, not when it comes: an urgent one may have come since.
    const urgent = this.urgency.any ? this.#firstUrgent() : 0;
    return urgent > 0 ? this.#waiting.removeOne(urgent) : this.#waiting.shift();
  }

  /** Takes all, in their order. */
  clear(): readonly C[] {
    const all = this.#waiting.toArray();
    this.#waiting.clear();
    return all;
  }

  #firstUrgent(): number {
    for (let i = 0; i < this.#waiting.length; i++) {
      if (this.urgency.has((this.#waiting.peekAt(i) as C).agent)) return i;
    }
    return 0;
  }
}
