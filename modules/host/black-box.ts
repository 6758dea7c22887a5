import { type NotedNumbers, noteNumbers, numbersIn } from './noted-numbers.js';

/** Effectful handlers whose start is noted; more run unnoted, which only costs precision after a crash. */
const SLOTS = 1_024;
const NUMBERS = 1 + SLOTS;

/** What the process before was doing when it ended. */
export interface LastMoments {
  /** The command whose handler was running when the process ended: it is to blame. */
  readonly culprit: number | undefined;
  /** Commands whose handlers were under way: one of them may be to blame. */
  readonly suspects: readonly number[];
  /** Commands whose handlers had begun and that may have no result, whatever ended the process. */
  readonly begun: ReadonlySet<number>;
}

/**
 * Ends that come from outside and say nothing about a handler: a person, the system, the broker that went away. Exit
 * code 0 is none of them: a process that was asked to end finishes what it handles first, and then nothing is noted.
 */
const OUTSIDE = new Set([
  'none',
  'signal:SIGKILL',
  'signal:SIGTERM',
  'signal:SIGINT',
  'signal:SIGHUP',
  'signal:SIGPIPE',
]);

/** Whom the notes of a process accuse, after an end like this. */
const lastMomentsOf = (noted: Float64Array, lastExit: string): LastMoments => {
  const [culprit = 0, ...running] = noted;
  const suspects = running.filter((seq) => seq > 0);
  // A handler that had ended is noted below zero: its result was on its way to the log.
  const begun = new Set([...noted].filter((seq) => seq !== 0).map(Math.abs));
  if (OUTSIDE.has(lastExit)) return { culprit: undefined, suspects: [], begun };
  if (culprit > 0) return { culprit, suspects: [], begun };
  // Only the handler that was under way can have done it.
  return suspects.length === 1
    ? { culprit: suspects[0], suspects: [], begun }
    : { culprit: undefined, suspects, begun };
};

/**
 * Notes which commands are being handled, in a file that outlives the process, so that a command which ends or hangs
 * its process is answered instead of ending the next process too. No note is synced: after a loss of power no handler
 * is to blame.
 */
export class BlackBox {
  readonly #free: number[] = Array.from({ length: SLOTS }, (_, i) => SLOTS - i);
  readonly #taken = new Map<number, number>();
  /** Commands whose handlers have ended, the oldest end first. */
  readonly #ended = new Set<number>();
  #closed = false;

  private constructor(
    private readonly notes: NotedNumbers,
    readonly lastMoments: LastMoments,
  ) {}

  /** Reads what the process before left in a file, and begins the notes of this one. */
  static async open(path: string, lastExit: string): Promise<BlackBox> {
    const lastMoments = lastMomentsOf(numbersIn(path, NUMBERS), lastExit);
    return new BlackBox(await noteNumbers(path, NUMBERS), lastMoments);
  }

  /** A handler is about to run synchronously: should the process end or hang now, it was this one. */
  enter(seq: number): void {
    this.#write(0, seq);
  }

  leave(): void {
    this.#write(0, 0);
  }

  /** An effectful handler is under way, among others. */
  began(seq: number): void {
    if (!this.#taken.has(seq) && this.#free.length === 0) this.#makeRoom();
    const slot = this.#taken.get(seq) ?? this.#free.pop();
    if (slot === undefined) return;
    this.#taken.set(seq, slot);
    this.#ended.delete(seq);
    this.#write(slot, seq);
  }

  /** It has ended without ending the process. Until its result is stored, only this note says that it had begun. */
  ended(seq: number): void {
    const slot = this.#taken.get(seq);
    if (slot === undefined) return;
    this.#ended.add(seq);
    this.#write(slot, -seq);
  }

  /** The log says what became of it. */
  forget(seq: number): void {
    const slot = this.#taken.get(seq);
    if (slot === undefined) return;
    this.#taken.delete(seq);
    this.#ended.delete(seq);
    this.#free.push(slot);
    this.#write(slot, 0);
  }

  /** A handler that runs may end the process: its note goes before that of one that has ended. */
  #makeRoom(): void {
    const [oldest] = this.#ended;
    if (oldest !== undefined) this.forget(oldest);
  }

  /** This process ends in order: no running handler is at fault. */
  close(): void {
    // Handlers that were left behind may still end: what they note must not reach a file that is closed by then.
    this.#closed = true;
    this.notes.close();
  }

  #write(slot: number, seq: number): void {
    if (!this.#closed) this.notes.set(slot, seq);
  }
}
