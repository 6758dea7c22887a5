const WINDOW_MS = 10_000;

/** Says a thing at once, and in the 10 s after it only counts what else there would be to say: a flood must not fill the log. */
export class Seldom {
  #until = Number.NEGATIVE_INFINITY;
  #unsaid = 0;

  constructor(private readonly tell: (text: string) => void) {}

  say(text: string): void {
    const now = performance.now();
    if (now < this.#until) {
      this.#unsaid += 1;
      return;
    }
    this.#until = now + WINDOW_MS;
    const others = this.#unsaid === 0 ? '' : ` (and ${this.#unsaid} more like it since the last line)`;
    this.#unsaid = 0;
    this.tell(`${text}${others}`);
  }
}
