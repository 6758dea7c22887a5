import type { TurnQueue } from './turn-queue.js';

/** Which effectful handlers run, and whether they wait for the log or for the outside world. */
export class RunningHandlers {
  /** By command: how many calls its handler waits for. */
  readonly #calls = new Map<number, number>();

  constructor(private readonly turns: Pick<TurnQueue, 'noteActivity'>) {}

  readonly enter = (): void => undefined;
  readonly leave = (): void => undefined;
  readonly forget = (): void => undefined;

  readonly began = (command: number): void => {
    this.#calls.set(command, 0);
  };

  readonly ended = (command: number): void => {
    this.#calls.delete(command);
    this.turns.noteActivity();
  };

  /** Makes a call of a command's handler. */
  async calling<T>(command: number, call: () => Promise<T>): Promise<T> {
    this.#count(command, 1);
    try {
      return await call();
    } finally {
      this.#count(command, -1);
      this.turns.noteActivity();
    }
  }

  /** The commands whose handlers wait for something other than a call. */
  get outside(): readonly number[] {
    return [...this.#calls].flatMap(([command, calls]) => (calls === 0 ? [command] : []));
  }

  #count(command: number, more: number): void {
    const calls = this.#calls.get(command);
    // A handler that was given up may still make calls.
    if (calls !== undefined) this.#calls.set(command, calls + more);
  }
}
