import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type Fault, fault } from '../../schemas/errors.js';
import type { Kept, OutboxBacklog, OnKept, Outbox, SentUnder } from '../../journal/producer/outbox.js';
import { StoreThread } from '../lmdb/store-thread.js';
import { WriteBehind } from '../lmdb/write-behind.js';
import { pack, unpack } from './packed-draft.js';
import type { OutboxChange, StoredOutbox } from './outbox-store.js';
import { setAside } from '../../system/files/set-aside.js';

export interface LmdbOutboxOptions {
  /** A separate directory, which one process at a time may open; see docs/decisions/0015. */
  readonly dir: string;
  /** How long a record may wait for the log before it is written, milliseconds; default 0. */
  readonly delayMs?: number;
  /** The outbox cannot do what it is for: told once, until it can again. */
  readonly onFault: (reason: Fault) => void;
}

/** What is settled is taken out in groups; until then it is known by its identity in the log. */
const CLEAN_MS = 250;
const PROGRAM = new URL('./store-worker.js', import.meta.url);

interface Fresh extends Kept {
  readonly since: number;
  readonly onKept: OnKept;
}

type Waiters = readonly ((isGone: boolean) => void)[];

const unavailable = (what: string, reason: string): Fault =>
  fault('OUTBOX_UNAVAILABLE', `${what}: ${reason}`);

const OUT_OF_USE = fault('OUTBOX_UNAVAILABLE', 'the outbox is out of use');

/**
 * An outbox in LMDB. One transaction at a time: what comes while one is being committed goes with the next, and what is
 * in the log by then is never written.
 */
export class LmdbOutbox implements Outbox {
  readonly left: OutboxBacklog;
  readonly #options: LmdbOutboxOptions;
  /** To be written. */
  readonly #fresh = new Map<number, Fresh>();
  /** On disk, or on their way there. */
  readonly #written = new Set<number>();
  /** Records to take out, each with the listener that waits for that. */
  readonly #gone = new Map<number, Waiters>();
  #sent: SentUnder | undefined;
  /** The epoch that is noted on disk. */
  #noted = 0;
  readonly #writer: WriteBehind;
  #isOff = false;

  private constructor(
    options: LmdbOutboxOptions,
    private readonly store: StoreThread<OutboxChange, StoredOutbox>,
  ) {
    const { kept, sent } = store.opened;
    this.#options = options;
    this.#sent = sent;
    this.left = { sent, kept: kept.map(([order, packed]) => ({ order, draft: unpack(packed) })) };
    for (const [order] of kept) this.#written.add(order);
    this.#writer = new WriteBehind({
      write: (all) => this.#write(all),
      onFailing: (reason) => options.onFault(this.#cannotBeWritten(reason)),
    });
  }

  /** Opens the outbox and reads what is in it. A damaged one is set aside, which `onFault` says. */
  static open(options: LmdbOutboxOptions): TaskEither<Fault, LmdbOutbox> {
    const { dir, onFault } = options;
    const onDamaged = (reason: string): void => onFault(unavailable('the outbox was set aside', reason));
    return async () => {
      const opened = await StoreThread.open<OutboxChange, StoredOutbox>(PROGRAM, { dir }, onDamaged);
      return E.isLeft(opened)
        ? E.left(unavailable(`the outbox in ${dir} cannot be opened`, opened.left))
        : E.right(new LmdbOutbox(options, opened.right));
    };
  }

  async begin(sent: SentUnder): Promise<void> {
    await this.#writer.idle();
    if (this.#isOff) return;
    this.#sent = sent;
    await this.#writer.flush();
    // Records that it has would be sent under an epoch that it does not know, and once more by the next process.
    if (this.#noted !== sent.epoch) this.#setAside();
  }

  keep(kept: Kept, onKept: OnKept): void {
    if (this.#isOff) return onKept(E.left(OUT_OF_USE));
    this.#fresh.set(kept.order, { ...kept, onKept, since: performance.now() });
    this.#writer.within(this.#delayMs);
  }

  settled(order: number, settledSeq: number): void {
    if (this.#sent !== undefined && settledSeq > this.#sent.settledSeq)
      this.#sent = { ...this.#sent, settledSeq };
    if (this.#drop(order)) return;
    this.#gone.set(order, this.#gone.get(order) ?? []);
    this.#writer.within(CLEAN_MS);
  }

  async forget(order: number): Promise<boolean> {
    if (this.#drop(order)) return true;
    const gone = new Promise<boolean>((resolve) => {
      this.#gone.set(order, [...(this.#gone.get(order) ?? []), resolve]);
    });
    this.#writer.within(0);
    return gone;
  }

  async close(): Promise<void> {
    await this.#writer.idle();
    if (this.#isOff) return;
    await this.#writer.close();
    this.#isOff = true;
    await this.store.close();
  }

  get #delayMs(): number {
    return this.#options.delayMs ?? 0;
  }

  /** Whether the record is not on disk, nor on its way there; if it was to be, it is no more. */
  #drop(order: number): boolean {
    this.#fresh.delete(order);
    return this.#isOff || !this.#written.has(order);
  }

  /** Writes the records that have waited long enough, and takes out those that are settled. */
  #write(all: boolean): Promise<E.Either<string, void>> | undefined {
    const before = all ? Number.POSITIVE_INFINITY : performance.now() - this.#delayMs;
    const fresh: Fresh[] = [];
    for (const each of this.#fresh.values()) {
      if (each.since > before) {
        this.#writer.within(each.since - before);
        break;
      }
      fresh.push(each);
    }
    const isNoted = this.#noted === (this.#sent?.epoch ?? 0);
    return fresh.length === 0 && this.#gone.size === 0 && isNoted ? undefined : this.#commit(fresh);
  }

  async #commit(fresh: readonly Fresh[]): Promise<E.Either<string, void>> {
    const gone = [...this.#gone];
    const sent = this.#sent;
    this.#gone.clear();
    for (const { order } of fresh) {
      this.#fresh.delete(order);
      this.#written.add(order);
    }
    const outcome = await this.store.commit({
      fresh: fresh.map(({ order, draft }) => [order, pack(draft)] as const),
      gone: gone.map(([order]) => order),
      sent,
    });
    if (E.isLeft(outcome)) {
      this.#notWritten(this.#cannotBeWritten(outcome.left), fresh, gone);
      return outcome;
    }
    this.#noted = sent?.epoch ?? 0;
    for (const { onKept } of fresh) onKept(outcome);
    for (const [order, waiting] of gone) {
      this.#written.delete(order);
      for (const resolve of waiting) resolve(true);
    }
    return outcome;
  }

  /** Settled records wait again to be taken out. The producer learns which records are not kept. */
  #notWritten(reason: Fault, fresh: readonly Fresh[], gone: readonly (readonly [number, Waiters])[]): void {
    for (const { onKept } of fresh) onKept(E.left(reason));
    for (const [order, waiting] of gone) {
      this.#gone.set(order, []);
      for (const resolve of waiting) resolve(false);
    }
  }

  #cannotBeWritten(cause: string): Fault {
    return unavailable(`the outbox in ${this.#options.dir} cannot be written`, cause);
  }

  /** From here on this process keeps nothing, and no other finds what was kept. */
  #setAside(): void {
    this.#isOff = true;
    this.#writer.stop();
    const { dir, onFault } = this.#options;
    try {
      const text = `the outbox is out of use until the next start, and kept as ${setAside(dir)}`;
      onFault(fault('OUTBOX_UNAVAILABLE', text));
    } catch (error) {
      const { message } = error as Error;
      onFault(
        unavailable(`the outbox in ${dir} must be removed before the next start: it is out of date`, message),
      );
    }
    for (const { onKept } of this.#fresh.values()) onKept(E.left(OUT_OF_USE));
    for (const resolve of [...this.#gone.values()].flat()) resolve(true);
    void this.store.close();
  }
}
