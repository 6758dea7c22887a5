import { closeSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';

/** Effectful handlers whose start is noted; more run unnoted, which only costs precision after a crash. */
const SLOTS = 1_024;
const BYTES = 8 * (1 + SLOTS);

/** What the process before was doing when it ended. */
export interface LastMoments {
  /** The command whose handler was running when the process ended: it is to blame. */
  readonly culprit: number | undefined;
  /** Commands whose handlers were under way: one of them may be to blame. */
  readonly suspects: readonly number[];
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

/**
 * Notes which commands are being handled, in a file that outlives the process, so that a command which ends or hangs
 * its process is answered instead of ending the next process too. Written with plain writes and no sync: the page
 * cache survives the death of a process, and after a loss of power no handler is to blame.
 */
export class BlackBox {
  readonly #fd: number;
  readonly #slot = Buffer.alloc(8);
  readonly #free: number[] = Array.from({ length: SLOTS }, (_, i) => SLOTS - i);
  readonly #taken = new Map<number, number>();
  #closed = false;
  readonly lastMoments: LastMoments;

  constructor(path: string, lastExit: string) {
    this.#fd = openSync(path, 'a+', 0o600);
    const before = Buffer.alloc(BYTES);
    const read = readSync(this.#fd, before, 0, BYTES, 0);
    closeSync(this.#fd);
    this.#fd = openSync(path, 'w', 0o600);
    ftruncateSync(this.#fd, BYTES);
    const noted = OUTSIDE.has(lastExit)
      ? []
      : Array.from({ length: Math.floor(read / 8) }, (_, i) => Number(before.readBigUInt64LE(i * 8)));
    const [culprit = 0, ...running] = noted;
    const suspects = running.filter((seq) => seq > 0);
    // Only the handler that was under way can have done it.
    const only = culprit === 0 && suspects.length === 1 ? suspects[0] : undefined;
    this.lastMoments =
      culprit > 0 || only !== undefined
        ? { culprit: culprit > 0 ? culprit : only, suspects: [] }
        : { culprit: undefined, suspects };
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
    const slot = this.#free.pop();
    if (slot === undefined) return;
    this.#taken.set(seq, slot);
    this.#write(slot, seq);
  }

  ended(seq: number): void {
    const slot = this.#taken.get(seq);
    if (slot === undefined) return;
    this.#taken.delete(seq);
    this.#free.push(slot);
    this.#write(slot, 0);
  }

  /** This process ends in order: no running handler is at fault. */
  close(): void {
    // Handlers that were left behind may still end: what they note must not reach a file that has this number by then.
    this.#closed = true;
    ftruncateSync(this.#fd, 0);
    closeSync(this.#fd);
  }

  #write(slot: number, seq: number): void {
    if (this.#closed) return;
    this.#slot.writeBigUInt64LE(BigInt(seq));
    writeSync(this.#fd, this.#slot, 0, 8, slot * 8);
  }
}
