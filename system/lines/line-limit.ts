import type { LineAbout } from '../../schemas/log-lines.js';

/** How often left-out lines are reported. */
const TELL_MS = 5_000;

export interface LineLimitOptions {
  /** Lines that may arrive at once. */
  readonly burst: number;
  /** Lines for which there is room again after a second. */
  readonly perSecond: number;
  /** Longer lines are cut, in characters. */
  readonly maxCharacters?: number;
  readonly say: (line: string, about?: LineAbout) => void;
}

/**
 * Passes lines on while they are few, and counts the rest. Each {@link TELL_MS} a line reports how many were left
 * out, and shows the last one. For lines that an outside sender can cause as fast as it sends.
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

  line(text: string, about?: LineAbout): void {
    const { burst, perSecond, maxCharacters, say } = this.#options;
    const now = performance.now();
    this.#room = Math.min(burst, this.#room + ((now - this.#filledAt) / 1_000) * perSecond);
    this.#filledAt = now;
    const line = text.length > maxCharacters ? `${text.slice(0, maxCharacters)} …` : text;
    if (this.#room >= 1) {
      this.#room -= 1;
      return say(line, about);
    }
    this.#leftOut += 1;
    this.#last = line;
    this.#timer ??= setTimeout(() => this.flush(), TELL_MS).unref();
  }

  /** Reports at once what was left out since the last report. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#leftOut === 0) return;
    this.#options.say(`${this.#leftOut} more lines were left out; the last one: ${this.#last}`, {
      level: 'warn',
    });
    this.#leftOut = 0;
  }
}
