/** News that several may wait for: each hears the next one after it has asked. */
export class NextNews<T> {
  #waiting: ((news: T) => void)[] = [];

  /** Resolves with what is told next. */
  next(): Promise<T> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  tell(news: T): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve(news);
  }
}
