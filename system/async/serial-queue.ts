/** Runs tasks one after the other, in the order in which they came. A task that fails does not stop the next one. */
export class SerialQueue {
  #last: Promise<unknown> = Promise.resolve();
  #length = 0;

  /** Tasks that have not ended: one runs, the others wait. */
  get length(): number {
    return this.#length;
  }

  run<A>(task: () => A | Promise<A>): Promise<A> {
    this.#length += 1;
    const result = this.#last.then(task).finally(() => {
      this.#length -= 1;
    });
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Resolves when all tasks that came so far have ended. */
  async idle(): Promise<void> {
    await this.#last;
  }
}
