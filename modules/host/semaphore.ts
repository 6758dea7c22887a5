import type { Urgency } from './urgency.js';
import { WaitingLine } from './waiting-line.js';

/** A number of places; who finds none waits in order, behind those of an agent with an urgent command. */
export class Slots {
  #free: number;
  readonly #waiting: WaitingLine<() => void>;

  constructor(places: number, urgency: Urgency) {
    this.#free = places;
    this.#waiting = new WaitingLine(urgency);
  }

  take(agent: string, begin: () => void): void {
    if (this.#free > 0) {
      this.#free -= 1;
      begin();
    } else {
      this.#waiting.add(agent, begin);
    }
  }

  give(): void {
    const next = this.#waiting.take();
    if (next === undefined) this.#free += 1;
    else next();
  }
}
