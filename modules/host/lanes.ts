/** One step of work; calls `done` when the next of its lane may begin. */
export type Step = (done: () => void) => void;

/**
 * A lane an agent: steps of one lane run one at a time in the order they came (I5), those of different lanes side by
 * side.
 */
export class Lanes {
  readonly #waiting = new Map<string, Step[]>();
  #stopped = false;

  /** Steps that run or wait. */
  add(lane: string, step: Step): void {
    const waiting = this.#waiting.get(lane);
    if (waiting !== undefined) {
      waiting.push(step);
      return;
    }
    this.#waiting.set(lane, []);
    this.#run(lane, step);
  }

  /** Lanes in which something runs. */
  get busy(): number {
    return this.#waiting.size;
  }

  /** Begins no further step. */
  stop(): void {
    this.#stopped = true;
  }

  #run(lane: string, step: Step): void {
    if (this.#stopped) {
      this.#waiting.delete(lane);
      return;
    }
    let finished = false;
    step(() => {
      if (finished) return;
      finished = true;
      const next = this.#waiting.get(lane)?.shift();
      if (next === undefined) this.#waiting.delete(lane);
      // A lane of many steps that finish at once must not grow the stack.
      else queueMicrotask(() => this.#run(lane, next));
    });
  }
}
