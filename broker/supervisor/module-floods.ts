import type { Fault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { FloodCount } from './flood-count.js';
import type { SupervisedModules } from './supervised-modules.js';

/**
 * What a module may do in a second. The host of a module comes nowhere near it: it starts once, beats every few
 * seconds, numbers each record, and has no more calls on their way than it runs handlers.
 */
export const MOST_PER_SECOND = {
  /** Messages `ctl.<module>.start`, `ready`, `beat` and `consumer`. */
  control: 200,
  /** Records without an identity, of 16 KiB each: the server stores them, and no reader believes them. */
  unsigned: 1_000,
  /** Calls that are refused since too many of its calls wait. */
  refused: 5_000,
} as const;

const UNSIGNED_BYTES = 16 * 1024;
const COUNTED: ReadonlySet<string> = new Set(['start', 'ready', 'beat', 'consumer']);

/** What is told of a module that is cut off. */
export interface CutNews {
  readonly begins?: (module: string, why: string) => void;
  /** Nothing comes from it any more. */
  readonly isOver?: (module: string) => void;
}

/**
 * Finds modules that flood the broker by ways that have no turns, and has them cut off: what they send costs others
 * their time before any part of the broker can put it behind theirs.
 */
export class ModuleFloods {
  readonly #control = new FloodCount(MOST_PER_SECOND.control);
  readonly #unsigned = new FloodCount(MOST_PER_SECOND.unsigned);
  /** When it was cut off last. */
  readonly #cutAt = new Map<string, number>();
  readonly #refused = new FloodCount(MOST_PER_SECOND.refused);

  #news: CutNews = {};

  constructor(private readonly modules: Pick<SupervisedModules, 'find'>) {}

  /** Tells of each module that is cut off. */
  tell(news: CutNews): void {
    this.#news = news;
  }

  /** A module says something of itself; whether it is too much to be heard. */
  isControlFlood(module: string, verb: string): boolean {
    if (!COUNTED.has(verb) || !this.#control.isFlood(module)) return false;
    this.#cut(module, `${MOST_PER_SECOND.control} messages ctl.${module}.${verb}`);
    return true;
  }

  /** A record of a module without an identity was stored at that time. */
  unsigned(module: string, bytes: number, timeMs = Date.now()): void {
    // The broker may read late what the module sent before it was cut off.
    if (timeMs < (this.#cutAt.get(module) ?? 0)) return;
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

  /** It sends what no part of the broker reads: see `traffic-watch.ts`. */
  unseen(module: string, what: string): void {
    this.#cut(module, what);
  }

  /** It takes more of the machine than a module may: see `resource-watch.ts`. */
  took(module: string, what: string): void {
    this.#shutOut(module, `it took more than ${what}`);
  }

  #cut(module: string, what: string): void {
    this.#shutOut(module, `it sent more than ${what} in a second`);
  }

  #shutOut(module: string, why: string): void {
    let isBegun = false;
    const begins = (): void => {
      isBegun = true;
      this.#news.begins?.(module, why);
    };
    void this.modules
      .find(module)
      ?.cut(why, begins)
      .then(() => {
        // What its next process says is no part of this flood.
        for (const count of [this.#control, this.#unsigned, this.#refused]) count.forget(module);
        this.#cutAt.set(module, Date.now());
        if (isBegun) this.#news.isOver?.(module);
      });
  }
}
