import { wireOf } from '../../journal/wire/stored-message.js';
import { type Fault, fault } from '../../schemas/errors.js';
import type { StoredMessage } from '../../schemas/record.js';
import type { ShelfFile } from './shelf-file.js';

/** Commands that wait far down the lane of an agent, out of memory. */
export class WaitingShelf {
  #isRefused = false;

  constructor(
    private readonly file: ShelfFile,
    private readonly say: (line: string) => void,
    private readonly onUnreadable: (reason: Fault) => void,
  ) {}

  /** Its place. Undefined: the file cannot take it. It stays in memory then, and the window is what limits it. */
  put(message: StoredMessage): number | undefined {
    try {
      return this.file.put(wireOf(message));
    } catch (error) {
      if (!this.#isRefused) this.say(`commands that wait are kept in memory: ${(error as Error).message}`);
      this.#isRefused = true;
      return undefined;
    }
  }

  /** Undefined: it cannot be read, which is told. */
  take(place: number): StoredMessage | undefined {
    try {
      return this.file.take(place);
    } catch (error) {
      const { message } = error as Error;
      this.onUnreadable(fault('INTERNAL', `a command that was put aside cannot be read: ${message}`));
      return undefined;
    }
  }

  close(): void {
    this.file.close();
  }
}
