/**
 * Holds back what comes behind the command that ended the process before, until that one is answered. Its answer is on
 * its way for a moment, and a handler that ends this process too would take it along: two such commands in a row would
 * end process after process, each in turn, for ever.
 */
export class Gate {
  #culprit: number | undefined;
  #hasCome = false;
  #held: (() => void)[] = [];

  constructor(culprit: number | undefined) {
    this.#culprit = culprit;
  }

  /** Begins a command, now or when the gate opens. Commands come in the order of their sequences. */
  pass(seq: number, begin: () => void): void {
    if (seq === this.#culprit) this.#hasCome = true;
    // It is behind already: answered before this session, or lost with the tail of the log.
    if (this.#culprit !== undefined && seq > this.#culprit && !this.#hasCome) this.#open();
    if (this.#culprit !== undefined && seq > this.#culprit) this.#held.push(begin);
    else begin();
  }

  /** A command has its answer in the log. */
  answered(seq: number): void {
    if (seq === this.#culprit) this.#open();
  }

  #open(): void {
    this.#culprit = undefined;
    const held = this.#held;
    this.#held = [];
    for (const begin of held) begin();
  }
}
