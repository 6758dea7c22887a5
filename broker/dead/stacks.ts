import { printableLines } from '../../text/printable.js';

/** Modules that throw at every command write letters as fast as they tell stacks: few wait at a time. */
const MAX_STACKS = 1_024;
const MAX_LINES = 40;
const MAX_LINE_CHARACTERS = 400;

/**
 * Where handlers threw, as their modules say, until the dead letter of the command is written. In memory alone: a
 * letter that is written after a restart of the broker has no stack.
 */
export class Stacks {
  readonly #known = new Map<string, string>();

  /** A module says where it threw. What it says is cut and made printable. */
  note(module: string, command: number, text: string): void {
    const key = `${module} ${command}`;
    this.#known.delete(key);
    this.#known.set(key, printableLines(text, MAX_LINES, MAX_LINE_CHARACTERS));
    if (this.#known.size > MAX_STACKS) {
      for (const oldest of this.#known.keys()) {
        this.#known.delete(oldest);
        break;
      }
    }
  }

  of(module: string, command: number): string | undefined {
    return this.#known.get(`${module} ${command}`);
  }
}
