/**
 * How far a module is done without a gap: commands come in order and finish in any, and only what has nothing
 * unfinished before it may be acknowledged.
 */
export class Checkpoint {
  readonly #ackSubjects: string[] = [];
  readonly #sequences: number[] = [];
  readonly #finished = new Set<number>();
  #head = 0;

  /** Commands that were delivered and are not below the checkpoint. */
  get unfinished(): number {
    return this.#sequences.length - this.#head;
  }

  delivered(seq: number, ackSubject: string): void {
    this.#sequences.push(seq);
    this.#ackSubjects.push(ackSubject);
  }

  finished(seq: number): void {
    this.#finished.add(seq);
  }

  /** The acknowledgement that covers all that is done, or undefined when nothing was added. */
  advance(): string | undefined {
    let ack: string | undefined;
    while (
      this.#head < this.#sequences.length &&
      this.#finished.delete(this.#sequences[this.#head] as number)
    ) {
      ack = this.#ackSubjects[this.#head];
      this.#head += 1;
    }
    if (this.#head > 1_024 && this.#head * 2 > this.#sequences.length) {
      this.#sequences.splice(0, this.#head);
      this.#ackSubjects.splice(0, this.#head);
      this.#head = 0;
    }
    return ack;
  }
}
