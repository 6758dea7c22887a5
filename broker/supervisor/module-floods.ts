import type { Fault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { FloodCount } from './flood-count.js';
import type { SupervisedModules } from './supervised-modules.js';

/**
 * What a module may do in a second. The host of a module comes nowhere near it: it starts once, beats every few
 * seconds, numbers each record, and has no more calls on their way than it runs handlers.
 */
export const MOST_PER_SECOND = {
  /** Messages `ctl.<module>.start`, `ready` and `beat`. */
  control: 200,
  /** Records without an identity, of 16 KiB each: the server stores them, and no reader believes them. */
  unsigned: 1_000,
  /** Calls that are refused since too many of its calls wait. */
  refused: 5_000,
} as const;

const UNSIGNED_BYTES = 16 * 1024;
const COUNTED: ReadonlySet<string> = new Set(['start', 'ready', 'beat']);

/**
 * Finds modules that flood the broker by ways that have no turns, and has them cut off: what they send costs others
 * their time before any part of the broker can put it behind theirs.
 */
export class ModuleFloods {
  readonly #control = new FloodCount(MOST_PER_SECOND.control);
  readonly #unsigned = new FloodCount(MOST_PER_SECOND.unsigned);
  readonly #refused = new FloodCount(MOST_PER_SECOND.refused);

  constructor(private readonly modules: Pick<SupervisedModules, 'find'>) {}

  /** A module says something of itself; whether it is too much to be heard. */
  isControlFlood(module: string, verb: string): boolean {
    if (!COUNTED.has(verb) || !this.#control.isFlood(module)) return false;
    this.#cut(module, `${MOST_PER_SECOND.control} messages ctl.${module}.${verb}`);
    return true;
  }

  /** A record of a module without an identity was stored. */
  unsigned(module: string, bytes: number): void {
    if (this.#unsigned.isFlood(module, 1 + Math.floor(bytes / UNSIGNED_BYTES)))
      this.#cut(module, `${MOST_PER_SECOND.unsigned} records of 16 KiB without ${HEADER.id}`);
  }

  /** A request was refused; `subject` ends with the account that sent it. */
  refused(subject: string, { code }: Fault): void {
    if (code !== 'OVERLOADED') return;
    const account = subject.slice(subject.lastIndexOf('.') + 1);
    if (this.modules.find(account) !== undefined && this.#refused.isFlood(account))
      this.#cut(account, `${MOST_PER_SECOND.refused} calls above what may wait`);
  }

  #cut(module: string, what: string): void {
    // What its next process says is no part of this flood.
    void this.modules
      .find(module)
      ?.cut(`it sent more than ${what} in a second`)
      .then(() => {
        for (const count of [this.#control, this.#unsigned, this.#refused]) count.forget(module);
      });
  }
}
