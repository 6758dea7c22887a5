import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { linkState } from '../../link/link-state.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { Backoff } from '../../system/async/backoff.js';
import { pause } from '../../system/async/pause.js';
import { appendAll } from '../append/append-all.js';
import { Appender, type Unsettled } from '../append/appender.js';
import type { Appended, Draft, JournalError, Receipt, Settle } from '../append/draft.js';
import { Envelope } from '../append/envelope.js';
import { type NumberedRun, numberingOf, numberOf, orderOf } from '../append/numbering.js';
import type { EpochEnd } from '../append/recovery.js';
import { isReplaced } from '../epochs/epoch.js';
import type { LastEpoch, NextEpoch } from '../epochs/epoch-source.js';
import { openFirst } from './open-first.js';
import type { Kept, OnKept, Outbox } from './outbox.js';
import { PendingLoad } from './pending-load.js';
import {
  type Accepted,
  PRODUCER_DEFAULTS,
  type ProducerOptions,
  type SubmitOptions,
} from './producer-options.js';
import { type Resumed, Resumption } from './resumption.js';
import { FOR_EVER, giveUp, settleFound, uncertain, type WaitingRecord } from './waiting-records.js';

/** How often a producer looks whether the connection is back. */
const DOWN_POLL_MS = 20;
const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 1_000;

const CLOSED = fault('LOG_UNAVAILABLE', 'the producer is closed');

/**
 * An appender that outlives its epochs. When one breaks (a lost acknowledgement, a server restart), it opens the
 * next, learns what of the old one was stored, and sends just the rest, in order. A caller gets a receipt or a fault
 * that says whether the record is in the log. With an outbox it outlives its process too.
 */
export class Producer {
  readonly #options: ProducerOptions & typeof PRODUCER_DEFAULTS;
  readonly #resumption = new Resumption();
  #appender: Appender | undefined;
  readonly #groups = { groups: 0, records: 0 };
  #waiting: WaitingRecord[] = [];
  /** Records that met a break and are sent again: an epoch that breaks again and again must not hold them for ever. */
  readonly #troubled = new Map<Settle, number>();
  /** The epoch that records were last sent under, as far as the server has answered. */
  #end: EpochEnd = { epoch: 0, last: 0, holes: [] };
  /** Which number each record has in it. */
  #numbering: readonly NumberedRun[] = [];
  #nextOrder = 1;
  /** What any epoch's records may weigh at most: sizes are checked before a record has its place. */
  #envelope: Envelope;
  /** Everything at or below is settled: where to look after a break. */
  #settledSeq = 0;
  #fence = 0;
  readonly #load: PendingLoad;
  #closed = false;
  /** Closed by its owner: what the outbox has is left to the next process. */
  #leaving = false;
  #reopening: Promise<void> | undefined;

  private constructor(options: ProducerOptions) {
    this.#options = { ...PRODUCER_DEFAULTS, ...options };
    this.#envelope = new Envelope(options.name, Number.MAX_SAFE_INTEGER);
    this.#load = new PendingLoad(this.#options);
  }

  /**
   * Opens the first epoch. Of an earlier process nothing is looked for but what the outbox has: its callers are gone.
   */
  static open(options: ProducerOptions): TaskEither<Fault, Producer> {
    return async () => {
      const { sent, kept = [] } = options.outbox?.left ?? {};
      const opened = await openFirst(options.epochs, kept.length > 0 ? sent : undefined);
      if (E.isLeft(opened)) return opened;
      const name = opened.right.as?.producer ?? options.name;
      if (kept.length > 0 && sent !== undefined && sent.producer !== name) {
        return E.left(
          fault('OUTBOX_UNAVAILABLE', `the outbox has records of ${sent.producer}, not of ${name}`),
        );
      }
      const producer = new Producer(options);
      producer.#resume(kept, sent?.numbering ?? []);
      producer.#waiting = settleFound(producer.#waiting, opened.right, 0);
      producer.#resumption.found();
      await producer.#begin(opened.right);
      return E.right(producer);
    };
  }

  /** Records that are not settled. */
  get pending(): number {
    return this.#load.records;
  }

  /**
   * The sequence of the record that ended the epoch before: what this producer stored in earlier epochs, in whatever
   * process, is below. It grows with each epoch.
   */
  get fence(): number {
    return this.#fence;
  }

  /** Records that are sent and not acknowledged. */
  get inFlight(): number {
    return this.#appender?.inFlight ?? 0;
  }

  /** Groups that it has sent as one batch since it was opened, and the records in them. */
  get groups(): { readonly groups: number; readonly records: number } {
    return this.#groups;
  }

  /** What the records that it took weigh in the log, about, and how much of that is settled; since it was opened. */
  get taken(): { readonly takenBytes: number; readonly settledBytes: number } {
    return this.#load.weighed;
  }

  /** What became of the records that earlier processes had accepted; resolves when that is known of all. */
  get resumed(): Promise<Resumed> {
    return this.#resumption.done;
  }

  readonly #countGroup = (records: number): void => {
    this.#groups.groups += 1;
    this.#groups.records += records;
  };

  /** Appends one record; nothing is sent before the task is run. */
  append(draft: Draft, options?: SubmitOptions): TaskEither<Fault, Receipt> {
    return () => new Promise((settle) => this.submit(draft, settle, options));
  }

  /** Appends records one behind the other, others' perhaps between them. */
  appendAll(drafts: readonly Draft[]): TaskEither<JournalError, readonly Receipt[]> {
    return appendAll(drafts, (draft, settle) => this.submit(draft, settle));
  }

  /**
   * Appends one record and resolves as soon as the death of this process cannot lose it: when the outbox has it, or the
   * log. A left: it is not accepted, and the fault says whether it is in the log.
   */
  accept(draft: Draft): TaskEither<Fault, Accepted> {
    return () =>
      new Promise((resolve) => {
        let settle: Settle = () => undefined;
        const stored = new Promise<Appended>((settled) => {
          settle = settled;
        });
        const accepted = (): void => resolve(E.right({ stored }));
        const settled: Settle = (outcome) => {
          settle(outcome);
          if (E.isRight(outcome)) accepted();
          else resolve(outcome);
        };
        // One that the outbox failed to keep can still be stored.
        const onKept: OnKept = (outcome) => E.isRight(outcome) && accepted();
        this.submit(draft, settled, { onKept });
      });
  }

  /** {@link append} without a promise, for paths where that shows. */
  submit(draft: Draft, settle: Settle, { keep = true, onKept, patient = false }: SubmitOptions = {}): void {
    if (this.#closed) return settle(E.left(CLOSED));
    if (!this.#mayFind(draft)) {
      const text = `${this.#options.name} has no records on ${draft.subject}: none was stored`;
      return settle(E.left(fault('INTERNAL', text)));
    }
    const overload = patient ? undefined : this.#load.overload(draft);
    const weight = overload ?? this.#envelope.weigh(draft, this.#options.nc.info?.max_payload);
    if (typeof weight !== 'number') return settle(E.left(weight));
    const order = this.#nextOrder++;
    const { outbox } = this.#options;
    const isKept = keep && outbox !== undefined;
    if (isKept) outbox.keep({ order, draft }, onKept ?? (() => undefined));
    const settled = this.#counted(draft, (outcome) => {
      if (!isKept) return settle(outcome);
      if (E.isLeft(outcome)) return void this.#refused(outbox, order, outcome.left).then(settle);
      outbox.settled(order, this.#settledSeq);
      settle(outcome);
    });
    const since = patient ? FOR_EVER : performance.now();
    // Before a break, the time of a record is not needed. After it, these must be distinguished from others.
    if (patient) this.#troubled.set(settled, since);
    if (this.#appender === undefined) this.#waiting.push({ draft, since, n: null, order, settle: settled });
    else this.#appender.submitWeighed(draft, weight, settled);
  }

  /** Ends it: who waits is told what is known. To have all stored first, wait for the appends. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#leaving = true;
    this.#appender?.break(CLOSED);
    await this.#reopening;
    await this.#options.outbox?.close();
  }

  /** Whether the next epoch would find the record in the log, should its acknowledgement be lost. */
  #mayFind({ subject }: Draft): boolean {
    const { prefixes } = this.#options;
    return prefixes === undefined || prefixes.some((prefix) => subject.startsWith(prefix));
  }

  /** Counts the record in, and out when it is settled. */
  #counted({ data }: Draft, settle: Settle): Settle {
    const since = performance.now();
    this.#load.begin(data.length);
    const settled: Settle = (outcome) => {
      this.#troubled.delete(settled);
      this.#load.end(data.length, since);
      if (E.isRight(outcome) && outcome.right.seq > this.#settledSeq) this.#settledSeq = outcome.right.seq;
      settle(outcome);
    };
    return settled;
  }

  /** What the caller may learn about a record for the outbox: a no only when no process can send it any more. */
  async #refused(outbox: Outbox, order: number, reason: Fault): Promise<Appended> {
    if (this.#leaving)
      return uncertain('the outbox has the record, which is sent when it is opened again', reason);
    const isGone = await outbox.forget(order);
    return isGone ? E.left(reason) : uncertain('the outbox could not forget the record', reason);
  }

  /**
   * Takes up the records of earlier processes. Their callers are gone, so a record stays in the outbox until it is
   * stored.
   */
  #resume(kept: readonly Kept[], numbering: readonly NumberedRun[]): void {
    const { outbox } = this.#options;
    this.#resumption.begin(kept.length);
    for (const { order, draft } of kept) {
      const n = numberOf(numbering, order) ?? null;
      const settle = this.#counted(draft, (outcome) => {
        if (E.isRight(outcome)) outbox?.settled(order, this.#settledSeq);
        this.#resumption.settled(outcome);
      });
      this.#waiting.push({ draft, since: FOR_EVER, n, order, settle });
      this.#nextOrder = order + 1;
    }
  }

  /** Tells callers who have waited since before that time. */
  #giveUp(reason: Fault, before: number): void {
    this.#waiting = giveUp(this.#waiting, reason, before);
  }

  async #begin({ epoch, fence, as }: NextEpoch): Promise<void> {
    const { nc, outbox, ackTimeoutMs } = this.#options;
    const {
      producer,
      grouping,
      isServed = false,
    } = as ?? { producer: this.#options.name, grouping: this.#options.grouping };
    this.#settledSeq = Math.max(this.#settledSeq, fence);
    this.#fence = fence;
    const orders = this.#waiting.map(({ order }) => order);
    const numbering = numberingOf(orders, this.#nextOrder);
    // Nothing may be taken from those that wait while this is written: they have their numbers.
    await outbox?.begin({ producer, epoch, settledSeq: this.#settledSeq, numbering });
    if (this.#closed) return;
    if (outbox !== undefined && !linkState(nc).isUp) {
      return this.#broken(fault('LOG_UNAVAILABLE', 'the connection to the server was lost'), []);
    }
    this.#numbering = numbering;
    this.#envelope = new Envelope(producer, Number.MAX_SAFE_INTEGER);
    const options = {
      nc,
      producer,
      epoch,
      next: 1,
      grouping,
      ackTimeoutMs,
      isServed,
      onGroup: this.#countGroup,
    };
    const broken = (reason: Fault, unsettled: readonly Unsettled[]): void => this.#broken(reason, unsettled);
    this.#appender = new Appender(options, broken);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const each of waiting) {
      this.#troubled.set(each.settle, each.since);
      // The connection may be gone again already.
      if (this.#appender === undefined) this.#waiting.push({ ...each, n: null });
      else this.#appender.submit(each.draft, each.settle);
    }
  }

  #broken(reason: Fault, unsettled: readonly Unsettled[]): void {
    if (this.#appender !== undefined) this.#end = this.#appender.end;
    this.#appender = undefined;
    const now = performance.now();
    const before = unsettled.map(({ n, draft, settle, sent }) => ({
      draft,
      settle,
      since: this.#troubled.get(settle) ?? now,
      n: sent ? n : null,
      order: orderOf(this.#numbering, n) as number,
    }));
    this.#waiting = [...before, ...this.#waiting];
    if (this.#closed) return this.#giveUp(reason, Number.POSITIVE_INFINITY);
    if (isReplaced(reason)) return this.#replaced(reason);
    this.#options.onReopen?.(reason);
    this.#reopening ??= this.#reopen(reason).finally(() => {
      this.#reopening = undefined;
    });
  }

  async #reopen(reason: Fault): Promise<void> {
    const { nc, epochs, patienceMs } = this.#options;
    const pauses = new Backoff(FIRST_PAUSE_MS, MAX_PAUSE_MS);
    while (!this.#closed) {
      if (nc.isClosed()) {
        this.#closed = true;
        this.#leaving = true;
        break;
      }
      if (!linkState(nc).isUp) {
        this.#giveUp(reason, performance.now() - patienceMs);
        await pause(DOWN_POLL_MS);
        continue;
      }
      const opened = await epochs(this.#last())();
      if (E.isRight(opened)) {
        this.#waiting = settleFound(this.#waiting, opened.right, this.#end.last, reason);
        this.#giveUp(reason, performance.now() - patienceMs);
        await this.#begin(opened.right);
        if (this.#appender !== undefined) return;
        continue;
      }
      if (isReplaced(opened.left)) return this.#replaced(opened.left);
      this.#giveUp(opened.left, performance.now() - patienceMs);
      await pause(pauses.take());
    }
    this.#giveUp(reason, Number.POSITIVE_INFINITY);
  }

  #last(): LastEpoch {
    const isSettled = this.#waiting.every(({ n }) => n === null);
    return { epoch: this.#end.epoch, settledSeq: this.#settledSeq, known: this.#end, isSettled };
  }

  /** Who takes the name back from its replacement would be fought for it in turn, for ever. */
  #replaced(reason: Fault): void {
    this.#closed = true;
    this.#giveUp(reason, Number.POSITIVE_INFINITY);
    this.#options.onReplaced(reason);
  }
}
