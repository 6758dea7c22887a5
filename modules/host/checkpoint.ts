import { SparseSequences } from '../../journal/wire/sparse-sequences.js';

/** The last command that is done with all before it. */
export interface Reached {
  readonly seq: number;
  /** Number of its delivery, from 1. */
  readonly delivered: number;
}

/**
 * How far a module is done without a gap: commands come in order and finish in any, and only what has nothing
 * unfinished before it may be acknowledged. A million commands may stand behind one that takes long: each has a number here.
 */
export class Checkpoint {
  #sequences: number[] = [];
  readonly #finished = new SparseSequences();
  #head = 0;
  /** Deliveries that are no longer in the list. */
  #forgotten = 0;

  /** Commands that were delivered and are not below the checkpoint. */
  get unfinished(): number {
    return this.#sequences.length - this.#head;
  }

  /** Commands that were delivered and are not finished, wherever the checkpoint stands. */
  get open(): number {
    return this.unfinished - this.#finished.size;
  }

  /** The next delivery has this command. */
  delivered(seq: number): void {
    this.#sequences.push(seq);
  }

  finished(seq: number): void {
    this.#finished.add(seq);
  }

  /** The last command of all that is done without a gap, or undefined when nothing was added. */
  advance(): Reached | undefined {
    const before = this.#head;
    while (
      this.#head < this.#sequences.length &&
      this.#finished.delete(this.#sequences[this.#head] as number)
    )
      this.#head += 1;
    if (this.#head === before) return undefined;
    const reached = {
      seq: this.#sequences[this.#head - 1] as number,
      delivered: this.#forgotten + this.#head,
    };
    if (this.#head > 1_024 && this.#head * 2 > this.#sequences.length) {
      this.#forgotten += this.#head;
      this.#sequences = this.#sequences.slice(this.#head);
      this.#head = 0;
    }
    return reached;
  }
}
