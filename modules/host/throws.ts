import type { NatsConnection } from 'nats';
import type { LineAbout } from '../../schemas/log-lines.js';
import { type Thrown, thrownSubject } from '../../schemas/control.js';

/**
 * Stacks in the broker's log within a window; a module that throws at every command must not fill the disk with them.
 */
const MAX_SHOWN = 20;
const WINDOW_MS = 10_000;

/**
 * Tells people where the module's code threw: the log of the broker, by what this process prints, and the dead letter
 * of the command, by word to the broker. Callers are told the message alone: a stack names files.
 */
export class Throws {
  #shown = 0;
  #left = 0;
  #since = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly nc: NatsConnection,
    private readonly module: string,
    private readonly instance: string,
    private readonly say: (line: string, about?: LineAbout) => void,
  ) {}

  /** Prints what failed, and below it where. */
  show(what: string, stack: string, about: LineAbout = { level: 'error' }): void {
    const now = performance.now();
    if (now - this.#since > WINDOW_MS) {
      if (this.#left > 0) this.say(`${this.#left} more throws were not shown`);
      [this.#since, this.#shown, this.#left] = [now, 0, 0];
    }
    this.#shown += 1;
    if (this.#shown > MAX_SHOWN) {
      this.#left += 1;
      return;
    }
    this.say([what, ...stack.split('\n').map((line) => `  ${line}`)].join('\n'), about);
  }

  /**
   * The command becomes a dead letter. Said before its result is stored, so that the broker has it when it writes the
   * letter.
   */
  dead(command: number, action: string, stack: string): void {
    this.show(`command ${command} of ${this.module}.${action} failed:`, stack, {
      level: 'error',
      seq: command,
    });
    const thrown: Thrown = { command, stack, instance: this.instance };
    if (!this.nc.isClosed()) this.nc.publish(thrownSubject(this.module), JSON.stringify(thrown));
  }
}
