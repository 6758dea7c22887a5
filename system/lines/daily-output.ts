import type { LineAbout } from '../../schemas/log-lines.js';
import { formatBytes } from '../../text/bytes.js';

const DAY_MS = 24 * 60 * 60 * 1_000;

export interface DailyOutputOptions {
  /** Bytes of lines within 24 hours. */
  readonly maxBytes: number;
  readonly say: (line: string, about?: LineAbout) => void;
  /** Milliseconds of a clock that nobody sets. */
  readonly now?: () => number;
}

/**
 * Passes lines on until they are too many bytes for 24 hours, and counts the rest. It reports the first line that is
 * left out, then the 10th, the 100th and so on, and the whole count when the 24 hours have ended.
 */
export class DailyOutput {
  readonly #options: Required<DailyOutputOptions>;
  #begunAt: number;
  #bytes = 0;
  #leftOut = { lines: 0, bytes: 0 };
  #nextReport = 1;

  constructor(options: DailyOutputOptions) {
    this.#options = { now: () => performance.now(), ...options };
    this.#begunAt = this.#options.now();
  }

  line(text: string, about?: LineAbout): void {
    const { maxBytes, say, now } = this.#options;
    if (now() - this.#begunAt >= DAY_MS) this.#begin();
    const size = Buffer.byteLength(text) + 1;
    if (this.#leftOut.lines === 0 && this.#bytes + size <= maxBytes) {
      this.#bytes += size;
      return say(text, about);
    }
    this.#leftOut.lines += 1;
    this.#leftOut.bytes += size;
    if (this.#leftOut.lines < this.#nextReport) return;
    this.#nextReport *= 10;
    this.#report('so far');
  }

  #begin(): void {
    if (this.#leftOut.lines > 0) this.#report('in all');
    this.#begunAt = this.#options.now();
    this.#bytes = 0;
    this.#leftOut = { lines: 0, bytes: 0 };
    this.#nextReport = 1;
  }

  #report(when: string): void {
    const { maxBytes, say } = this.#options;
    const { lines, bytes } = this.#leftOut;
    const count = `${lines} line${lines === 1 ? '' : 's'} (${formatBytes(bytes)})`;
    say(`it printed more than ${formatBytes(maxBytes)} within 24 hours: ${count} left out ${when}`, {
      level: 'warn',
    });
  }
}
