import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import { type Fault, fault } from '../../schemas/errors.js';
import { appendAll } from './append-all.js';
import { Appender, type Unsettled } from './appender.js';
import type { Draft, JournalError, Receipt, Settle } from './draft.js';
import { isReplaced } from './epoch.js';
import type { EpochSource, NextEpoch } from './epoch-source.js';
import type { Grouping } from './grouping.js';
import { linkState } from './link-state.js';
import type { EpochEnd } from './recovery.js';

export interface ProducerOptions {
  readonly nc: NatsConnection;
  readonly name: string;
  readonly epochs: EpochSource;
  readonly grouping: Grouping;
  /** Records that are not settled; above it an append is refused with OVERLOADED. */
  readonly maxPending?: number;
  /** The same in bytes of payload. */
  readonly maxPendingBytes?: number;
  /** How long an append may wait for the log to come back before its caller is told, milliseconds. */
  readonly patienceMs?: number;
  /** How long the oldest record may go unacknowledged before the log is asked what was stored, milliseconds. */
  readonly ackTimeoutMs?: number;
  /** Another process has taken over as this producer; this one must stop. */
  readonly onReplaced: (reason: Fault) => void;
  readonly onReopen?: (reason: Fault) => void;
}

/** How often a producer looks whether the connection is back. */
const DOWN_POLL_MS = 20;
const FIRST_PAUSE_MS = 50;
const MAX_PAUSE_MS = 1_000;

const DEFAULTS = {
  patienceMs: 10_000,
  ackTimeoutMs: 10_000,
  maxPending: 100_000,
  maxPendingBytes: 64 * 1024 * 1024,
};

const pause = (ms: number): Promise<void> => new Promise((resume) => setTimeout(resume, ms));

interface Waiting {
  readonly draft: Draft;
  /** Since when it has been in trouble: the first break that it met. */
  readonly since: number;
  /** Number under the epoch that broke; null when it was never sent. */
  readonly n: number | null;
  readonly settle: Settle;
}

/**
 * An appender that outlives its epochs. When one breaks (a lost acknowledgement, a server restart), it opens the next,
 * learns what of the old one was stored, and sends just the rest, in order. A caller gets a receipt or a fault that says
 * whether the record is in the log.
 */
export class Producer {
  readonly #options: ProducerOptions & typeof DEFAULTS;
  #appender: Appender | undefined;
  #waiting: Waiting[] = [];
  /** Records that met a break and are sent again: an epoch that breaks again and again must not hold them for ever. */
  readonly #troubled = new Map<Settle, number>();
  /** The epoch that records were last sent under, as far as the server has answered. */
  #end: EpochEnd = { epoch: 0, last: 0, holes: [] };
  /** Everything at or below is settled: where to look after a break. */
  #settledSeq = 0;
  #pending = 0;
  #pendingBytes = 0;
  /** How long the record that was settled last had waited, milliseconds. */
  #lastWaitMs = 0;
  #closed = false;
  #reopening: Promise<void> | undefined;

  private constructor(options: ProducerOptions) {
    this.#options = { ...DEFAULTS, ...options };
  }

  /** Opens the first epoch; nothing of an earlier process is looked for, since its callers are gone. */
  static open(options: ProducerOptions): TaskEither<Fault, Producer> {
    return async () => {
      const opened = await options.epochs(undefined)();
      if (E.isLeft(opened)) return opened;
      const producer = new Producer(options);
      producer.#begin(opened.right);
      return E.right(producer);
    };
  }

  /** Records that are not settled. */
  get pending(): number {
    return this.#pending;
  }

  /** Appends one record; nothing is sent before the task is run. */
  append(draft: Draft): TaskEither<Fault, Receipt> {
    return () => new Promise((settle) => this.submit(draft, settle));
  }

  /** Appends records one behind the other, others' perhaps between them. */
  appendAll(drafts: readonly Draft[]): TaskEither<JournalError, readonly Receipt[]> {
    return appendAll(drafts, (draft, settle) => this.submit(draft, settle));
  }

  /** {@link append} without a promise, for paths where that shows. */
  submit(draft: Draft, settle: Settle): void {
    if (this.#closed) return settle(E.left(fault('LOG_UNAVAILABLE', 'the producer is closed')));
    const overload = this.#overload(draft);
    if (overload !== undefined) return settle(E.left(overload));
    const since = Date.now();
    this.#pending += 1;
    this.#pendingBytes += draft.data.length;
    const settled: Settle = (outcome) => {
      this.#troubled.delete(settled);
      this.#pending -= 1;
      this.#pendingBytes -= draft.data.length;
      this.#lastWaitMs = Date.now() - since;
      if (E.isRight(outcome) && outcome.right.seq > this.#settledSeq) this.#settledSeq = outcome.right.seq;
      settle(outcome);
    };
    if (this.#appender === undefined) this.#waiting.push({ draft, since, n: null, settle: settled });
    else this.#appender.submit(draft, settled);
  }

  /** Ends it: who waits is told what is known. To have all stored first, wait for the appends. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#appender?.break(fault('LOG_UNAVAILABLE', 'the producer is closed'));
    await this.#reopening;
  }

  #overload({ data }: Draft): Fault | undefined {
    const { maxPending, maxPendingBytes } = this.#options;
    // A single record always fits, however large: else it would be told to try again for ever.
    const isFull = this.#pending > 0 && this.#pendingBytes + data.length > maxPendingBytes;
    if (this.#pending < maxPending && !isFull) return undefined;
    // What comes now would wait about as long as what has just been stored.
    const retryAfterMs = Math.max(10, this.#lastWaitMs);
    const text = `${this.#pending} records wait to be stored; try again in ${retryAfterMs} ms`;
    return { ...fault('OVERLOADED', text), retryAfterMs };
  }

  #begin({ epoch, fence }: NextEpoch): void {
    this.#settledSeq = Math.max(this.#settledSeq, fence);
    const { nc, name, grouping, ackTimeoutMs } = this.#options;
    const options = { nc, producer: name, epoch, next: 1, grouping, ackTimeoutMs };
    const broken = (reason: Fault, unsettled: readonly Unsettled[]): void => this.#broken(reason, unsettled);
    this.#appender = new Appender(options, broken);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { draft, settle, since } of waiting) {
      this.#troubled.set(settle, since);
      // The connection may be gone again already.
      if (this.#appender === undefined) this.#waiting.push({ draft, since, n: null, settle });
      else this.#appender.submit(draft, settle);
    }
  }

  #broken(reason: Fault, unsettled: readonly Unsettled[]): void {
    if (this.#appender !== undefined) this.#end = this.#appender.end;
    this.#appender = undefined;
    const now = Date.now();
    const before = unsettled.map(({ n, draft, settle, sent }) => ({
      draft,
      settle,
      since: this.#troubled.get(settle) ?? now,
      n: sent ? n : null,
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
    let pauseMs = FIRST_PAUSE_MS;
    while (!this.#closed) {
      if (!linkState(nc).isUp) {
        this.#giveUp(reason, Date.now() - patienceMs);
        await pause(DOWN_POLL_MS);
        continue;
      }
      const opened = await epochs({ ...this.#end, settledSeq: this.#settledSeq })();
      if (E.isRight(opened)) {
        this.#resolve(opened.right, reason);
        this.#giveUp(reason, Date.now() - patienceMs);
        this.#begin(opened.right);
        if (this.#appender !== undefined) return;
        continue;
      }
      if (isReplaced(opened.left)) return this.#replaced(opened.left);
      this.#giveUp(opened.left, Date.now() - patienceMs);
      await pause(pauseMs);
      pauseMs = Math.min(pauseMs * 2, MAX_PAUSE_MS);
    }
    this.#giveUp(reason, Number.POSITIVE_INFINITY);
  }

  /** Who takes the name back from its replacement would be fought for it in turn, for ever. */
  #replaced(reason: Fault): void {
    this.#closed = true;
    this.#giveUp(reason, Number.POSITIVE_INFINITY);
    this.#options.onReplaced(reason);
  }

  /**
   * What was sent under the old epoch and is stored has its receipt. The rest stays, to be sent again, but for a record
   * that later ones have overtaken: it would stand behind them (I2), so it is for the caller to send it anew.
   */
  #resolve({ find }: NextEpoch, reason: Fault): void {
    const found = this.#waiting.map(({ n, draft }) => (n === null ? undefined : find(n, draft)));
    const lastStored = this.#waiting.reduce(
      (last, { n }, index) => (found[index] === undefined ? last : Math.max(last, n as number)),
      this.#end.last,
    );
    const rest: Waiting[] = [];
    for (const [index, waiting] of this.#waiting.entries()) {
      const { n, settle } = waiting;
      const seq = found[index];
      if (n === null) rest.push(waiting);
      else if (seq !== undefined) settle(E.right({ seq, n }));
      else if (n < lastStored) settle(E.left(reason));
      else rest.push({ ...waiting, n: null });
    }
    this.#waiting = rest;
  }

  /** Tells callers who have waited since before that time. */
  #giveUp(reason: Fault, before: number): void {
    const rest: Waiting[] = [];
    for (const waiting of this.#waiting) {
      if (waiting.since > before) rest.push(waiting);
      else if (waiting.n === null) waiting.settle(E.left(reason));
      else {
        const message = `the record was sent and the log has not answered since: ${reason.message}`;
        waiting.settle(E.left(fault('LOG_UNCERTAIN', message)));
      }
    }
    this.#waiting = rest;
  }
}
