import type { JetStreamManager, StreamInfo } from '@nats-io/jetstream';
import { isLeft } from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { linkState } from '../journal/link-state.js';
import { findLoss, type LogLoss } from './log-loss.js';
import { addMark } from './marks.js';
import { type StoredDigest, storedDigest } from './stored-digest.js';
import { findLog } from './stream.js';
import { type Memory, readWitness, writeWitness } from './witness-file.js';

export interface WitnessOptions {
  readonly nc: NatsConnection;
  readonly jsm: JetStreamManager;
  readonly dataDir: string;
  /** Something to tell of that the broker lives with. */
  readonly onTrouble: (text: string) => void;
}

export interface WatchOptions {
  /** The highest sequence that the broker has read. */
  readonly position: () => number;
  /** The server came back with another log than it had. */
  readonly onLoss: (loss: LogLoss) => void;
}

const MARK_INTERVAL_MS = 500;
/** A batch that is the last thing in the log for so long, on one connection, has been committed. */
const BATCH_SETTLED_MS = 5_000;
const RETRY_MS = 100;
/** A server that is starting may say that it has no such stream before it has found it. */
const MISSING_FOR_MS = 3_000;

const pause = (ms: number): Promise<void> => new Promise((resume) => setTimeout(resume, ms));

/**
 * Remembers which records stood where in the log, in a file of its own: what a server lost, or a person restored, shows
 * when the two are laid side by side, also after the log has grown again (I9). It writes down what the server already
 * has written down, so it is behind the log whatever is killed; only a loss of power under durability `os` makes it
 * speak of records that are gone, which is what it is for.
 */
export class Witness {
  readonly #options: WitnessOptions;
  #memory: Memory | undefined;
  #candidate: (StoredDigest & { readonly since: number }) | undefined;
  #watch: WatchOptions | undefined;
  #timer: NodeJS.Timeout | undefined;
  #forget: () => void = () => undefined;
  #marking: Promise<void> = Promise.resolve();
  #check: Promise<LogLoss | undefined> = Promise.resolve(undefined);
  #closed = false;
  /** Counts connections: what was asked on one says nothing on the next. */
  #links = 0;

  constructor(options: WitnessOptions) {
    this.#options = options;
    const read = readWitness(options.dataDir);
    if (isLeft(read)) {
      options.onTrouble(
        `what was seen of the log cannot be used, so whether it has lost records cannot be told: ${read.left}`,
      );
    } else {
      this.#memory = read.right;
    }
  }

  /** What the log has lost of what was seen; `found` is undefined when there is none. Throws LOG_UNAVAILABLE. */
  async compare(found: StreamInfo | undefined, reached = 0): Promise<LogLoss | undefined> {
    if (this.#memory === undefined) return undefined;
    const log = found && { logId: found.created, lastSeq: found.state.last_seq };
    const { nc } = this.#options;
    return findLoss(this.#memory, log, async (seq) => (await storedDigest(nc, seq))?.digest, reached);
  }

  /** Goes on with this log: keeps what was seen of it up to `agreesTo`. */
  async begin(logId: string, agreesTo = Number.POSITIVE_INFINITY): Promise<void> {
    const marks =
      this.#memory?.logId === logId ? this.#memory.marks.filter(({ seq }) => seq <= agreesTo) : [];
    this.#memory = { logId, marks };
    await this.#write();
  }

  /** Follows the log from here on, and compares anew whenever the connection was lost. */
  watch(watch: WatchOptions): void {
    this.#watch = watch;
    const link = linkState(this.#options.nc);
    this.#forget = link.onChange(() => {
      this.#links += 1;
      this.#candidate = undefined;
      if (link.isUp) void this.recheck();
    });
    this.#timer = setInterval(() => this.#tick(), MARK_INTERVAL_MS).unref();
  }

  /** Resolves when the comparison that is under way, if one is, has ended: with what was lost. */
  checked(): Promise<LogLoss | undefined> {
    return this.#check;
  }

  /** Compares what the server has now. A loss that was found stays found. */
  recheck(): Promise<LogLoss | undefined> {
    this.#check = this.#check.then(async (before) => {
      if (before !== undefined) return before;
      const loss = await this.#compareNow();
      if (loss === undefined) return undefined;
      // The broker ends now; the next one must know what this one knew, or it would go on where it is not to.
      if (this.#memory !== undefined) this.#memory = { ...this.#memory, reached: loss.seenSeq };
      await this.#write();
      if (!this.#closed) this.#watch?.onLoss(loss);
      return loss;
    });
    return this.#check;
  }

  /** Marks where the log stands, and stops. */
  async close(): Promise<void> {
    this.#forget();
    clearInterval(this.#timer);
    if (linkState(this.#options.nc).isUp) this.#tick();
    this.#closed = true;
    await this.#marking;
  }

  async #compareNow(): Promise<LogLoss | undefined> {
    const { nc, jsm } = this.#options;
    const reached = this.#watch?.position() ?? 0;
    const missingUntil = performance.now() + MISSING_FOR_MS;
    while (!this.#closed && linkState(nc).isUp) {
      try {
        const found = await findLog(jsm);
        if (found !== undefined || performance.now() > missingUntil)
          return await this.compare(found, reached);
      } catch {
        // It starts, or is gone again: then the next connection has a comparison of its own.
      }
      await pause(RETRY_MS);
    }
    return undefined;
  }

  #tick(): void {
    this.#marking = this.#marking.then(async () => {
      try {
        await this.#mark();
      } catch {
        // The log does not answer: there is nothing to be seen.
      }
    });
  }

  async #mark(): Promise<void> {
    const { nc } = this.#options;
    const links = this.#links;
    const seq = this.#watch?.position() ?? 0;
    const last = this.#memory?.marks.at(-1)?.seq ?? 0;
    if (seq <= last || !linkState(nc).isUp || (await this.#check) !== undefined) return;
    const stored = this.#candidate?.seq === seq ? this.#candidate : await storedDigest(nc, seq);
    if (stored === undefined || links !== this.#links) return;
    const settled = this.#settled(stored);
    if (settled === undefined || settled.seq <= last || this.#memory === undefined) return;
    this.#memory = {
      ...this.#memory,
      marks: addMark(this.#memory.marks, settled.seq, settled.digest),
    };
    await this.#write();
  }

  /** The highest record that is known to be written down. */
  #settled(stored: StoredDigest): StoredDigest | undefined {
    const before = this.#candidate;
    if (stored.batch === undefined) return stored;
    // Batches are committed one after the other: behind the next one, the one before is complete.
    if (before !== undefined && before.batch !== stored.batch) {
      this.#candidate = { ...stored, since: performance.now() };
      return before;
    }
    this.#candidate = { ...stored, since: before?.seq === stored.seq ? before.since : performance.now() };
    return performance.now() - this.#candidate.since >= BATCH_SETTLED_MS ? stored : undefined;
  }

  async #write(): Promise<void> {
    if (this.#memory === undefined) return;
    try {
      await writeWitness(this.#options.dataDir, this.#memory);
    } catch (error) {
      this.#options.onTrouble(`what was seen of the log cannot be written: ${(error as Error).message}`);
    }
  }
}
