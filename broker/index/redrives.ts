import { HEADER } from '../../schemas/headers.js';
import { parseIdentity, parseSequence } from '../../schemas/identity.js';
import type { StoredMessage } from '../../schemas/record.js';

/** The producer that records what an operator has redriven. */
const REDRIVER = 'gateway';

/** The letter that a command says it redrives, as the broker would have written it. */
export const letterRedrivenBy = (message: StoredMessage): number | undefined => {
  const letter = parseSequence(message.header(HEADER.redrives) ?? '');
  if (letter === undefined) return undefined;
  return parseIdentity(message.header(HEADER.id) ?? '')?.producer === REDRIVER ? letter : undefined;
};

/**
 * Which commands redrive which dead letters, folded from the log: it alone knows whether a redrive that a crash cut off was
 * recorded. Anyone can write these headers on a command of their own, so who acts on an entry looks at the record first.
 */
export class Redrives {
  /** Commands by the letter that they redrive, each with the sequence of its result; 0 while it has none. */
  readonly #byLetter = new Map<number, Map<number, number>>();
  readonly #letters = new Map<number, number>();
  readonly #fresh = new Map<string, number>();

  /** Commands that say they redrive this letter, in order. */
  of(letter: number): readonly number[] {
    return [...(this.#byLetter.get(letter)?.keys() ?? [])];
  }

  /** Sequence of the result of a command that redrives; undefined while it has none, or redrives nothing. */
  resultOf(command: number): number | undefined {
    const letter = this.#letters.get(command);
    const result = letter === undefined ? 0 : this.#byLetter.get(letter)?.get(command);
    return result === 0 ? undefined : result;
  }

  command(message: StoredMessage): void {
    const letter = letterRedrivenBy(message);
    if (letter !== undefined && !this.#letters.has(message.seq)) this.#set(letter, message.seq, 0);
  }

  answered(command: number, result: number): void {
    const letter = this.#letters.get(command);
    if (letter !== undefined) this.#set(letter, command, result);
  }

  /** Takes in what was kept: `<letter>/<command>`, with the result's sequence. */
  load(key: string, result: unknown): void {
    const [letter, command] = key.split('/').map(Number);
    if (letter !== undefined && command !== undefined) this.#set(letter, command, Number(result));
    this.#fresh.clear();
  }

  /** What is not kept yet. */
  fresh(): ReadonlyMap<string, number> {
    return new Map(this.#fresh);
  }

  /** This much is on disk. */
  kept(saved: ReadonlyMap<string, number>): void {
    for (const [key, result] of saved) if (this.#fresh.get(key) === result) this.#fresh.delete(key);
  }

  #set(letter: number, command: number, result: number): void {
    let commands = this.#byLetter.get(letter);
    if (commands === undefined) {
      commands = new Map();
      this.#byLetter.set(letter, commands);
    }
    commands.set(command, result);
    this.#letters.set(command, letter);
    this.#fresh.set(`${letter}/${command}`, result);
  }
}
