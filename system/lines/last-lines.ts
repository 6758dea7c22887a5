import { clip, printable } from '../../text/printable.js';

const MAX_LINES = 40;
const MAX_CHARACTERS = 300;

/**
 * `Error: no such file`, `TypeError [ERR_X]: …`, `panic: …`, `ValueError: …`: the last words of programs in several
 * languages.
 */
const SAYS_WHY = /^(?:Uncaught |panic: |fatal error: |[\w.$]*(?:Error|Exception|Fault)\b)/;
/** A stack frame, or what Node prints around an error. */
const SAYS_LITTLE = /^(?:\s+at |\s*\^|\s*[}\]]|Node\.js v|\(Use `node|\s*$)/;

/** The last lines of a process, bounded and printable. They tell why it ended. */
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

  /** At most 40, the oldest first. The first one counts the lines before, if there were some. */
  get all(): readonly string[] {
    return this.#missing === 0 ? this.#lines : [`… (${this.#missing} lines before)`, ...this.#lines];
  }

  /** The line that tells most about the end; undefined without output. */
  get cause(): string | undefined {
    const line = this.#told ?? this.#lines.findLast((each) => !SAYS_LITTLE.test(each));
    return line?.trim();
  }
}
