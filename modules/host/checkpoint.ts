import Denque from 'denque';
import { SparseSequences } from '../../journal/wire/sparse-sequences.js';

/** The last command that is done with all before it. */
export interface Reached {
  readonly seq: number;
  /** Number of its delivery, from 1. */
  readonly delivered: number;
}

/**
 * How far a module is done without a gap: commands come in order and finish in any, and only what has nothing
 * unfinished before it may be acknowledged. A million commands may stand behind one that takes long: each has a
 * number here.
 */
export class Checkpoint {
  readonly #sequences = new Denque<number>();
  readonly #finished = new SparseSequences();
  /** Deliveries that are done without a gap. */
  #done = 0;

  /** Commands that were delivered and are not below the checkpoint. */
  get unfinished(): number {
    return this.#sequences.length;
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
    let seq: number | undefined;
    for (
      let next = this.#sequences.peekFront();
      next !== undefined && this.#finished.delete(next);
      next = this.#sequences.peekFront()
    ) {
      seq = next;
      this.#sequences.shift();
      this.#done += 1;
    }
    return seq === undefined ? undefined : { seq, delivered: this.#done };
  }
}
