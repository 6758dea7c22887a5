import type { JetStreamManager, StreamInfo } from '@nats-io/jetstream';
import { isLeft } from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { linkState } from '../../link/link-state.js';
import { findGaps } from './find-gaps.js';
import { type Gap, merged, gapsWithout } from './gaps.js';
import { findLoss, type LogLoss, lossOfGaps } from './log-loss.js';
import { addMark } from './marks.js';
import { type StoredDigest, storedDigest } from './stored-digest.js';
import { findLog } from '../streams/log-stream.js';
import { type Memory, readWitness, writeWitness } from './witness-file.js';
import { pause } from '../../system/async/pause.js';
import { SerialQueue } from '../../system/async/serial-queue.js';

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

/** Records that the server reports as missing: no client may delete one, so the server has lost them. */
const gone = ({ last_seq, messages }: StreamInfo['state']): number => last_seq - messages;

/**
 * Remembers which records stood where in the log, in a separate file: what a server lost, or a person restored, shows
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
  readonly #marking = new SerialQueue();
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
    const memory = this.#memory;
    const { nc } = this.#options;
    const log = found && { logId: found.created, lastSeq: found.state.last_seq };
    const digestAt = async (seq: number): Promise<string | undefined> =>
      (await storedDigest(nc, seq))?.digest;
    const loss = memory === undefined ? undefined : await findLoss(memory, log, digestAt, reached);
    const gaps = found === undefined ? [] : await this.#newGaps(found, loss !== undefined);
    if (gaps.length === 0) return loss;
    return loss === undefined
      ? lossOfGaps(gaps, memory?.marks ?? [], found?.state.last_seq ?? 0)
      : { ...loss, gaps };
  }

  /** Continues with this log: keeps what was seen of it, except for reported losses. */
  async begin({ created, state }: StreamInfo, loss?: LogLoss): Promise<void> {
    const same = this.#of(created);
    const agreesTo = loss?.agreesTo ?? Number.POSITIVE_INFINITY;
    const marks = (same?.marks ?? []).filter(({ seq }) => seq <= agreesTo);
    const gaps = merged(this.gaps, loss?.gaps ?? []).filter(([from]) => from <= state.last_seq);
    this.#memory = { logId: created, marks, ...(gaps.length === 0 ? {} : { gaps, gone: gone(state) }) };
    await this.#write();
  }

  /** What is missing in the middle of the log, and has been told. */
  get gaps(): readonly Gap[] {
    return this.#memory?.gaps ?? [];
  }

  /** Follows the log from here on, and compares again after each loss of the connection. */
  watch(watch: WatchOptions): void {
    this.#watch = watch;
    const link = linkState(this.#options.nc);
    this.#forget = link.onChange(() => {
      this.#links += 1;
      this.#candidate = undefined;
      if (link.isUp) void this.recheck();
    });
    this.moved();
  }

  /** The broker has read further in the log: a mark follows within {@link MARK_INTERVAL_MS}. */
  moved(): void {
    if (this.#timer !== undefined || this.#closed) return;
    this.#timer = setTimeout(() => this.#tick(), MARK_INTERVAL_MS).unref();
  }

  /** Resolves when the comparison that is under way, if one is, has ended: with what was lost. */
  checked(): Promise<LogLoss | undefined> {
    return this.#check;
  }

  /** Compares what the server has now. A loss that was found stays found. */
  recheck(): Promise<LogLoss | undefined> {
    return this.#settle(() => this.#compareNow());
  }

  /** A reader of these sequences did not get all of them: if that is not known yet, the log has lost records. */
  missed(gaps: readonly Gap[]): Promise<LogLoss | undefined> {
    if (gapsWithout(gaps, this.gaps).length === 0) return this.#check;
    return this.#settle(async () => {
      // What is told and set aside for once is everything that is missing.
      const found = await findLog(this.#options.jsm);
      if (found === undefined) return undefined;
      const { last_seq } = found.state;
      const all = gapsWithout(await findGaps(this.#options.nc, 1, last_seq), this.gaps);
      return all.length === 0 ? undefined : lossOfGaps(all, this.#memory?.marks ?? [], last_seq);
    });
  }

  /** Marks where the log stands, and stops. */
  async close(): Promise<void> {
    this.#forget();
    clearTimeout(this.#timer);
    if (linkState(this.#options.nc).isUp) this.#tick();
    this.#closed = true;
    await this.#marking.idle();
  }

  #settle(look: () => Promise<LogLoss | undefined>): Promise<LogLoss | undefined> {
    this.#check = this.#check.then(async (before) => {
      if (before !== undefined) return before;
      const loss = await look();
      if (loss === undefined) return undefined;
      // The broker ends now; the next one must know what this one knew, or it would continue where it must not.
      if (this.#memory !== undefined) {
        const missing = loss.gaps === undefined ? {} : { missing: loss.gaps };
        this.#memory = { ...this.#memory, reached: loss.seenSeq, ...missing };
      }
      await this.#write();
      if (!this.#closed) this.#watch?.onLoss(loss);
      return loss;
    });
    return this.#check;
  }

  #of(logId: string): Memory | undefined {
    return this.#memory?.logId === logId ? this.#memory : undefined;
  }

  /**
   * What is missing in the middle, by what the server says of itself or an earlier broker found, and was not told
   * yet.
   */
  async #newGaps({ created, state }: StreamInfo, isDamaged: boolean): Promise<readonly Gap[]> {
    const same = this.#of(created);
    if (!isDamaged && gone(state) === (same?.gone ?? 0)) return same?.missing ?? [];
    return gapsWithout(await findGaps(this.#options.nc, 1, state.last_seq), same?.gaps ?? []);
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
        // It starts, or is gone again: then the next connection compares again.
      }
      await pause(RETRY_MS);
    }
    return undefined;
  }

  #tick(): void {
    // A log that does not answer shows nothing.
    void this.#marking
      .run(() => this.#mark())
      .catch(() => undefined)
      .finally(() => {
        this.#timer = undefined;
        // A batch is not settled yet, the log did not answer, or more came meanwhile.
        if (this.#lastMark < (this.#watch?.position() ?? 0)) this.moved();
      });
  }

  get #lastMark(): number {
    return this.#memory?.marks.at(-1)?.seq ?? 0;
  }

  async #mark(): Promise<void> {
    const { nc } = this.#options;
    const links = this.#links;
    const seq = this.#watch?.position() ?? 0;
    const last = this.#lastMark;
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
