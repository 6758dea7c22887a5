import { isLeft } from 'fp-ts/lib/Either.js';
import { type NatsConnection, nuid } from 'nats';
import { type Fault, FaultError, fault } from '../../schemas/errors.js';
import type { WholeMessage } from '../../schemas/record.js';
import { linkState } from '../../link/link-state.js';
import {
  type ApiFailure,
  createConsumer,
  deleteConsumer,
  isStreamMissing,
  type LogApi,
  logEnds,
} from './reader-api.js';
import { consumerConfig, planRead, type ReadPlan, type ReadRange, whatIsLeft } from './reader-position.js';
import { PULL_BYTES, PULL_RECORDS, ReaderSession } from './reader-session.js';
import { Waker } from '../../system/async/waker.js';

/** Which records of the log to read. */
export interface ReadOptions extends ReadRange {
  /** Ends reading without an error. */
  readonly signal?: AbortSignal;
  /** Default `$JS.API`. */
  readonly apiPrefix?: string;
  /**
   * How long the log may be out of reach before LOG_UNAVAILABLE is thrown, milliseconds. Default 30,000. While
   * following, time in which the connection is down does not count: the client redials for as long as it was told to.
   */
  readonly patienceMs?: number;
  /**
   * How many records to ask the server for at first; a reader that continues gets more at a time. For readers that
   * will stop early: with it, nothing is sent that they do not come to. Default: all that a pull takes.
   */
  readonly firstPull?: number;
  /**
   * Pulls that are open at a time. Default 2, so that the server has the next when it is done with one; for one of
   * several readers that keep it busy together, 1 is less work.
   */
  readonly pulls?: 1 | 2;
  /**
   * Of records that were asked for and not taken, bytes; at most twice that waits. Default 3 MiB. For readers of which
   * there are many. It must be more than a record has.
   */
  readonly aheadBytes?: number;
}

const DEFAULT_PATIENCE_MS = 30_000;
const RETRY_MS = 100;

class LogReader {
  private readonly api: LogApi;
  private readonly waker = new Waker();
  private readonly link;
  private readonly patienceMs: number;
  /** Sequence up to which everything that matches has been yielded. */
  private after = 0;
  /** Since when nothing came of what was tried; undefined while all is well. */
  private failingSince: number | undefined;

  constructor(
    private readonly options: ReadOptions,
    nc: NatsConnection,
  ) {
    this.api = { nc, prefix: options.apiPrefix ?? '$JS.API' };
    this.link = linkState(nc);
    this.patienceMs = options.patienceMs ?? DEFAULT_PATIENCE_MS;
  }

  async *batches(): AsyncGenerator<readonly WholeMessage[], void, void> {
    const { signal } = this.options;
    const wake = (): void => this.waker.wake();
    const forget = this.link.onChange(wake);
    signal?.addEventListener('abort', wake);
    try {
      const plan = await this.plan();
      while (plan !== undefined && !this.isAborted && !this.isPast(plan)) {
        const session = await this.open(plan);
        if (session === undefined) continue;
        try {
          yield* this.drain(session, plan);
        } finally {
          session.close();
          deleteConsumer(this.api, session.consumer);
        }
        if (session.broken === undefined) return;
        await this.failed({ kind: 'silent', fault: session.broken });
      }
    } finally {
      forget();
      signal?.removeEventListener('abort', wake);
    }
  }

  private get isAborted(): boolean {
    return this.options.signal?.aborted === true;
  }

  private isPast({ untilSeq, fromSeq }: ReadPlan): boolean {
    return untilSeq !== undefined && Math.max(this.after, fromSeq - 1) >= untilSeq;
  }

  private async plan(): Promise<ReadPlan | undefined> {
    while (!this.isAborted) {
      const ends = await logEnds(this.api);
      if (!isLeft(ends)) {
        this.failingSince = undefined;
        return planRead(this.options, ends.right.lastSeq);
      }
      // Before the first record a stream that is not there is an answer, later it may be a server that is starting.
      if (ends.left.kind !== 'silent') throw new FaultError(ends.left.fault);
      await this.failed(ends.left);
    }
    return undefined;
  }

  /** A new consumer behind the last record yielded; undefined when that failed and is to be tried again. */
  private async open(plan: ReadPlan): Promise<ReaderSession | undefined> {
    if (this.after > 0) {
      const ends = await logEnds(this.api);
      if (isLeft(ends)) return this.failed(ends.left);
      this.checkTail(plan, ends.right.lastSeq);
    }
    const name = `read-${nuid.next()}`;
    const made = await createConsumer(this.api, name, consumerConfig(plan, this.after));
    if (isLeft(made)) return this.failed(made.left);
    this.after = Math.max(this.after, made.right.after);
    return new ReaderSession(this.api, made.right, this.waker, {
      firstPull: this.firstPull(plan),
      pulls: this.options.pulls ?? 2,
      pullBytes: this.options.aheadBytes ?? PULL_BYTES,
      follow: plan.follow && plan.untilSeq === undefined,
    });
  }

  /** No more than can lie before the end of what is to be read. */
  private firstPull({ untilSeq, fromSeq }: ReadPlan): number {
    const left = untilSeq === undefined ? PULL_RECORDS : untilSeq - Math.max(this.after, fromSeq - 1);
    return Math.max(1, Math.min(PULL_RECORDS, this.options.firstPull ?? PULL_RECORDS, left));
  }

  // Sequences that were lost are given to other records: to continue would skip those silently (I9).
  private checkTail(plan: ReadPlan, lastSeq: number): void {
    const known = plan.follow ? this.after : Math.max(this.after, plan.untilSeq ?? 0);
    if (lastSeq >= known) return;
    const message = `the log ends at ${lastSeq} and reached ${known} before: it lost its tail`;
    throw new FaultError(fault('LOG_MISMATCH', message));
  }

  /** Yields until the end is passed, reading is aborted (both leave the session whole) or the session breaks. */
  private async *drain(
    session: ReaderSession,
    plan: ReadPlan,
  ): AsyncGenerator<readonly WholeMessage[], void, void> {
    while (!this.isAborted) {
      const batch = session.take();
      const last = batch.at(-1);
      if (last !== undefined) {
        const { untilSeq } = plan;
        const overlong = untilSeq !== undefined && last.seq > untilSeq;
        const wanted =
          overlong || this.after < plan.fromSeq - 1
            ? batch.filter(({ seq }) => seq >= plan.fromSeq && (untilSeq === undefined || seq <= untilSeq))
            : batch;
        this.failingSince = undefined;
        this.after = last.seq;
        if (wanted.length > 0) yield wanted;
        if (this.isPast(plan)) return;
        continue;
      }
      if (session.broken !== undefined) return;
      if (!this.link.isUp) return session.breakOff('the connection to the server was lost');
      if ((session.isDrained || session.idle) && (await this.isFinished(session, plan))) return;
      // A heartbeat proves the consumer, but what a bounded read waits for is there: only a record is progress.
      if (session.alive && plan.follow) this.failingSince = undefined;
      session.alive = false;
      if (session.broken === undefined) await this.waker.wait();
    }
  }

  private async isFinished(session: ReaderSession, plan: ReadPlan): Promise<boolean> {
    const wasIdle = session.idle;
    session.idle = false;
    const left = await whatIsLeft(this.api, plan, this.after);
    if (isLeft(left)) session.breakOff(left.left.fault.message);
    else if (left.right === 'done') return true;
    else if (left.right === 'more' && wasIdle)
      session.breakOff('records are there that the consumer did not deliver');
    return false;
  }

  /** Throws when it is time to give up; else returns after a moment, with the connection up. */
  private async failed(failure: ApiFailure): Promise<undefined> {
    const { nc } = this.api;
    let isFirst = true;
    // A request that is made while the connection is down is only lost, and costs its whole timeout.
    while (!this.isAborted && (isFirst || !this.link.isUp)) {
      if (nc.isClosed()) throw new FaultError(closed(failure.fault));
      if (failure.kind === 'refused' && failure.fault.code === 'SERVER_REFUSED')
        throw new FaultError(failure.fault);
      if (this.options.follow === true && !this.link.isUp) this.failingSince = undefined;
      else this.failingSince ??= performance.now();
      const { failingSince } = this;
      const left =
        failingSince === undefined ? undefined : failingSince + this.patienceMs - performance.now();
      if (left !== undefined && left <= 0) throw new FaultError(unavailable(failure, this.patienceMs));
      await this.waker.wait(this.link.isUp ? Math.min(RETRY_MS, left ?? RETRY_MS) : left);
      isFirst = false;
    }
    return undefined;
  }
}

const closed = (cause: Fault): Fault =>
  fault('LOG_UNAVAILABLE', `the connection to the server is closed (${cause.message})`);

const unavailable = (failure: ApiFailure, patienceMs: number): Fault =>
  isStreamMissing(failure)
    ? fault('LOG_UNAVAILABLE', 'the stream LOG is not there any more')
    : fault('LOG_UNAVAILABLE', `${failure.fault.message}; gave up after ${patienceMs} ms`);

/** As {@link readLog}, in the batches that arrive: for scans, where a generator's step for each record is too slow. */
export const readLogBatches = (
  nc: NatsConnection,
  options: ReadOptions = {},
): AsyncGenerator<readonly WholeMessage[], void, void> => new LogReader(options, nc).batches();

/**
 * Reads the log in order and without a gap, across reconnects and restarts of the server. Without `follow` it ends
 * behind the last record that was there when reading began, or behind `toSeq`, whether or not that one matches.
 *
 * Throws {@link FaultError}: LOG_UNAVAILABLE when there is no log or it is out of reach for too long, SERVER_REFUSED
 * when the connection may not read, LOG_MISMATCH when the log lost records that had been there, NAME_INVALID for an
 * `agent` that is no name.
 */
export async function* readLog(
  nc: NatsConnection,
  options: ReadOptions = {},
): AsyncGenerator<WholeMessage, void, void> {
  for await (const batch of readLogBatches(nc, options)) {
    for (const message of batch) yield message;
  }
}
