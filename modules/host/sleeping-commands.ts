import type { StoredMessage } from '../../schemas/record.js';
import type { WaitingShelf } from './waiting-shelf.js';

/** So many commands that were woken are in memory at a time. */
const MAX_AWAKE = 1_000;

/**
 * The commands of a session whose handlers wait: on the shelf, so that each costs a few numbers of memory. Those that
 * were woken are taken back a thousand at a time, in the order in which they were woken.
 */
export class SleepingCommands {
  /** By sequence: the place on the shelf, or the command itself if the shelf is full. */
  readonly #asleep = new Map<number, number | StoredMessage>();
  /** Woken while their handlers ran: they run again at once if they wait then. */
  readonly #wokenEarly = new Set<number>();
  /** Woken, and not taken back yet. */
  readonly #due = new Set<number>();
  /** Taken back, and not ended or asleep again. */
  readonly #awake = new Set<number>();
  /** Acknowledged when they fell asleep. */
  readonly #acknowledged = new Set<number>();

  constructor(
    private readonly shelf: Pick<WaitingShelf, 'put' | 'take'>,
    private readonly isRunning: (seq: number) => boolean,
  ) {}

  /** Commands that sleep or are to be taken back. */
  get size(): number {
    return this.#asleep.size;
  }

  /** The handler of a command waits. Whether this is its first wait of the session. */
  sleeps(message: StoredMessage): boolean {
    const { seq } = message;
    this.#awake.delete(seq);
    this.#asleep.set(seq, this.shelf.put(message) ?? message);
    if (this.#wokenEarly.delete(seq)) this.#due.add(seq);
    if (this.#acknowledged.has(seq)) return false;
    this.#acknowledged.add(seq);
    return true;
  }

  /** The log has a wake of this command. */
  woken(seq: number): void {
    if (this.#asleep.has(seq)) this.#due.add(seq);
    else if (this.isRunning(seq)) this.#wokenEarly.add(seq);
  }

  /** The next command that is to be handled again; undefined: none, or too many are in memory. */
  next(): StoredMessage | undefined {
    if (this.#awake.size >= MAX_AWAKE) return undefined;
    const [seq] = this.#due;
    if (seq === undefined) return undefined;
    this.#due.delete(seq);
    const place = this.#asleep.get(seq);
    this.#asleep.delete(seq);
    if (place === undefined) return undefined;
    this.#awake.add(seq);
    return typeof place === 'number' ? this.shelf.take(place) : place;
  }

  /** Whether the command was woken, so that its deadline counts no more. */
  isAwake(seq: number): boolean {
    return this.#awake.has(seq);
  }

  /** A command is finished. Whether its delivery is still to be acknowledged. */
  finished(seq: number): boolean {
    this.#awake.delete(seq);
    this.#wokenEarly.delete(seq);
    return !this.#acknowledged.delete(seq);
  }
}
