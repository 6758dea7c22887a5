import { clip, printable } from '../../text/printable.js';

const MAX_LINES = 40;
const MAX_CHARACTERS = 300;

/** `Error: no such file`, `TypeError [ERR_X]: …`, `panic: …`, `ValueError: …`: how languages say why a program ended. */
const SAYS_WHY = /^(?:Uncaught |panic: |fatal error: |[\w.$]*(?:Error|Exception|Fault)\b)/;
/** A stack frame, or what Node prints around an error. */
const SAYS_LITTLE = /^(?:\s+at |\s*\^|\s*[}\]]|Node\.js v|\(Use `node|\s*$)/;

/** The last lines that a process printed, bounded and printable: where it ended, they say why. */
export class LastLines {
  #lines: string[] = [];
  #missing = 0;
  #told: string | undefined;

  add(line: string): void {
    const shown = clip(printable(line.slice(0, MAX_CHARACTERS * 2).replaceAll('\t', '  ')), MAX_CHARACTERS);
    if (SAYS_WHY.test(shown)) this.#told = shown;
    this.#lines.push(shown);
    if (this.#lines.length <= MAX_LINES) return;
    this.#lines.shift();
    this.#missing += 1;
  }

  /** At most 40, the oldest first; the first says how many came before, where some did. */
  get all(): readonly string[] {
    return this.#missing === 0 ? this.#lines : [`… (${this.#missing} lines before)`, ...this.#lines];
  }

  /** The one line that says most about the end; undefined where nothing was printed. */
  get cause(): string | undefined {
    const line = this.#told ?? this.#lines.findLast((each) => !SAYS_LITTLE.test(each));
    return line?.trim();
  }
}
