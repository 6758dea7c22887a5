/** Work that has begun and may not have ended: what `close` waits for. */
export class UnderWay {
  readonly #works = new Set<Promise<unknown>>();

  /** Notes the work and returns it. If nobody awaits its refusal, that is an unhandled rejection of Node. */
  readonly begun = <T>(work: Promise<T>): Promise<T> => {
    const ended = work.then(
      () => undefined,
      () => undefined,
    );
    this.#works.add(ended);
    void ended.then(() => this.#works.delete(ended));
    // `work` itself has a listener now; this one has none.
    return work.then((value) => value);
  };

  /** Resolves when all work has ended, also that which begins meanwhile. */
  async ended(): Promise<void> {
    while (this.#works.size > 0) await Promise.all(this.#works);
  }
}
