const WINDOW_MS = 10_000;

/**
 * Says a thing at once. In the 10 s after that it only counts what else there is to say, and says the count at their end: a flood
 * must not fill the log, and nothing is left out in silence.
 */
export class Seldom {
  #timer: NodeJS.Timeout | undefined;
  #unsaid = 0;
  #last = '';

  constructor(private readonly tell: (text: string) => void) {}

  say(text: string): void {
    if (this.#timer !== undefined) {
      this.#unsaid += 1;
      this.#last = text;
      return;
    }
    this.tell(text);
    this.#wait();
  }

  #wait(): void {
    this.#timer = setTimeout(() => this.#end(), WINDOW_MS);
    // A count is no reason for a process to live on.
    this.#timer.unref();
  }

  #end(): void {
    this.#timer = undefined;
    if (this.#unsaid === 0) return;
    const count = this.#unsaid;
    this.#unsaid = 0;
    this.tell(count === 1 ? this.#last : `${this.#last} (the last of ${count} like it in 10 s)`);
    this.#wait();
  }
}
