import type { Scheduled } from './scheduled.js';

/**
 * Holds back what comes behind the command that ended the process before, until that one has its result. The result
 * is on its way for a moment, and a handler that ends this process too would take it along: two such commands in a
 * row would end process after process, each in turn, for ever.
 */
export class Quarantine<C extends Scheduled> {
  #culprit: number | undefined;
  #hasCome = false;
  #held: C[] = [];

  constructor(culprit: number | undefined) {
    this.#culprit = culprit;
  }

  /** Commands are delivered again, from the first without a result on. */
  restart(): void {
    this.#hasCome = false;
    this.#held = [];
  }

  /** Whether a command must wait; commands come in the order of their sequences. Without a culprit none waits. */
  holds(command: C): boolean {
    if (this.#culprit === undefined || command.seq < this.#culprit) return false;
    if (command.seq === this.#culprit) {
      this.#hasCome = true;
      return false;
    }
    // It is behind already: answered before this session, or lost with the tail of the log.
    if (!this.#hasCome) this.#culprit = undefined;
    else this.#held.push(command);
    return this.#hasCome;
  }

  /** A command has its result: gives those that it held back. */
  over(seq: number): readonly C[] {
    if (seq !== this.#culprit) return [];
    this.#culprit = undefined;
    const held = this.#held;
    this.#held = [];
    return held;
  }
}
