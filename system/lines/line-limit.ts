/** How often it is said what was left out. */
const TELL_MS = 5_000;

export interface LineLimitOptions {
  /** Lines that may come at once. */
  readonly burst: number;
  /** Lines for which there is room again after a second. */
  readonly perSecond: number;
  /** A longer line is cut, characters. */
  readonly maxCharacters?: number;
  readonly say: (line: string) => void;
}

/**
 * Passes lines on as long as they are few, and counts the rest: a line each {@link TELL_MS} says how many were left out, and
 * shows the last one. For lines that somebody outside can have written as fast as he sends.
 */
export class LineLimit {
  readonly #options: Required<LineLimitOptions>;
  #room: number;
  #filledAt = performance.now();
  #leftOut = 0;
  #last = '';
  #timer: NodeJS.Timeout | undefined;

  constructor(options: LineLimitOptions) {
    this.#options = { maxCharacters: Number.POSITIVE_INFINITY, ...options };
    this.#room = options.burst;
  }

  line(text: string): void {
    const { burst, perSecond, maxCharacters, say } = this.#options;
    const now = performance.now();
    this.#room = Math.min(burst, this.#room + ((now - this.#filledAt) / 1_000) * perSecond);
    this.#filledAt = now;
    const line = text.length > maxCharacters ? `${text.slice(0, maxCharacters)} …` : text;
    if (this.#room >= 1) {
      this.#room -= 1;
      return say(line);
    }
    this.#leftOut += 1;
    this.#last = line;
    this.#timer ??= setTimeout(() => this.flush(), TELL_MS).unref();
  }

  /** Says now what was left out since it was last said. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#leftOut === 0) return;
    this.#options.say(`${this.#leftOut} more lines were left out; the last one: ${this.#last}`);
    this.#leftOut = 0;
  }
}
