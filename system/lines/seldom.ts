const WINDOW_MS = 10_000;

/**
 * Reports a thing at once. In the next 10 s it only counts further ones, and reports the count at the end: a flood
 * must not fill the output, and nothing is left out silently.
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
    // A count is no reason for a process to stay alive.
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
