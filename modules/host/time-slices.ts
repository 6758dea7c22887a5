import type { Urgency } from './urgency.js';
import { WaitingLine } from './waiting-line.js';

/** How long commands are handled before the connection is looked at again, milliseconds. */
const SLICE_MS = 2;

/**
 * Whose command is handled next. Without it each would be handled as it is read, and an urgent one would wait unread behind
 * all that were sent before it: so what is there is read between short slices of work, and the urgent goes first. Who comes
 * while nobody waits is handled at once.
 */
export class Turns {
  readonly #line: WaitingLine<() => void>;
  #scheduled = false;

  constructor(urgency: Urgency) {
    this.#line = new WaitingLine(urgency);
  }

  take(agent: string, begin: () => void): void {
    if (this.#scheduled) return this.#line.add(agent, begin);
    this.#schedule();
    begin();
  }

  #schedule(): void {
    this.#scheduled = true;
    setImmediate(() => this.#slice());
  }

  #slice(): void {
    const until = performance.now() + SLICE_MS;
    while (performance.now() < until) {
      const begin = this.#line.take();
      if (begin === undefined) {
        this.#scheduled = false;
        return;
      }
      begin();
    }
    this.#schedule();
  }
}
