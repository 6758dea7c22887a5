import type { Urgency } from './urgency.js';

interface Waiting<T> {
  readonly agent: string;
  readonly item: T;
}

/** Who waits, in order; those of an agent with an urgent command are taken first. */
export class WaitingLine<T> {
  #waiting: Waiting<T>[] = [];
  #head = 0;

  constructor(private readonly urgency: Urgency) {}

  get length(): number {
    return this.#waiting.length - this.#head;
  }

  add(agent: string, item: T): void {
    this.#waiting.push({ agent, item });
  }

  take(): T | undefined {
    if (this.length === 0) return undefined;
    // Looked at when somebody is taken, not when somebody comes: what is urgent may have come since.
    const urgent = this.urgency.any ? this.#firstUrgent() : -1;
    if (urgent > this.#head) return this.#waiting.splice(urgent, 1)[0]?.item;
    const first = this.#waiting[this.#head++];
    // Shifting the array each time would be quadratic; keeping what was taken would be a leak.
    if (this.#head > 1_024 && this.#head * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#head);
      this.#head = 0;
    }
    return first?.item;
  }

  #firstUrgent(): number {
    for (let i = this.#head; i < this.#waiting.length; i++) {
      if (this.urgency.has((this.#waiting[i] as Waiting<T>).agent)) return i;
    }
    return -1;
  }
}
