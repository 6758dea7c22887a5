import { randomBytes } from 'node:crypto';
import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { createInbox, type NatsConnection, type Subscription } from 'nats';
import { type Fault, fault } from '../../schemas/errors.js';
import { Batching } from './batching.js';
import { AppendQueue } from './append-queue.js';
import { appendAll } from './append-all.js';
import type { Draft, JournalError, Receipt, Settle } from './draft.js';
import { Envelope } from './envelope.js';
import { InFlight, type Pending } from './in-flight.js';
import { failPoint } from '../../system/processes/fail-point.js';
import { type Grouping, MAX_GROUP, MAX_GROUP_BYTES, MAX_IN_FLIGHT_BYTES } from './grouping.js';
import { publishMessage } from '../../link/write-lane.js';
import { linkState } from '../../link/link-state.js';
import type { EpochEnd } from './recovery.js';
import { endsEpoch, isTransient, type PubAck, parsePubAck, parseServedAck } from '../../link/pub-ack.js';

/** The connection, the epoch and the limits of an appender. */
export interface AppenderOptions {
  readonly nc: NatsConnection;
  readonly producer: string;
  /** Sequence of the epoch record: every append names it as the fence. */
  readonly epoch: number;
  /** Number of the first record. */
  readonly next: number;
  readonly grouping: Grouping;
  /** How long the oldest record may go unacknowledged, milliseconds. */
  readonly ackTimeoutMs?: number;
  /** The broker takes the records and stores them: this program is in a separate account. Default false. */
  readonly isServed?: boolean;
  /** Is told of each batch how many records it has. */
  readonly onGroup?: (records: number) => void;
}

/** A record whose fate is not known, or which was never sent, when the appender broke; in order of their numbers. */
export interface Unsettled {
  readonly n: number;
  readonly draft: Draft;
  readonly sent: boolean;
  readonly settle: Settle;
}

const unsettledOf = ({ n, draft, settle }: Pending, sent: boolean): Unsettled => ({ n, draft, settle, sent });

/**
 * Appends one producer's records of one epoch: numbered without a gap, each fenced, so that the server refuses all of a
 * producer that has been replaced. The first error of any kind ends the appender: a later record must not be stored
 * where an earlier one was not (I2). What happens to the unsettled then is `onBroken`'s.
 *
 * At most one batch is on its way: the next one fills meanwhile, and a batch that the server gave up can be sent again
 * with nothing stored behind it. The owner limits how much may wait, because it knows its callers.
 */
export class Appender {
  readonly #options: Required<AppenderOptions>;
  readonly #envelope: Envelope;
  readonly #inbox = createInbox();
  readonly #subscription: Subscription;
  readonly #forget: () => void;
  readonly #inFlight = new InFlight();
  readonly #batching = new Batching();
  readonly #queue = new AppendQueue<Pending>();
  #willPump = false;
  #next: number;
  #batches = 0;
  #timer: NodeJS.Timeout | undefined;
  #broken: Fault | undefined;
  /** The first record that the server refused ends the epoch once the rest in flight is answered. */
  #refusal: Fault | undefined;
  /** Refused for the moment: the owner may send them again, unless later ones are stored. */
  #refused: Pending[] = [];
  #lastStored: number;
  /** Numbers that the server refused. */
  readonly #holes: number[] = [];

  constructor(
    options: AppenderOptions,
    private readonly onBroken: (reason: Fault, unsettled: readonly Unsettled[]) => void,
  ) {
    this.#options = { ackTimeoutMs: 10_000, isServed: false, onGroup: () => undefined, ...options };
    const parse = this.#options.isServed ? parseServedAck : parsePubAck;
    this.#envelope = new Envelope(options.producer, options.epoch);
    this.#next = options.next;
    this.#lastStored = options.next - 1;
    // A record that is in flight when the connection is lost may be stored or not, and no message will tell.
    this.#forget = linkState(options.nc).onLost((why) => this.break(fault('LOG_UNAVAILABLE', why)));
    this.#subscription = options.nc.subscribe(`${this.#inbox}.*`, {
      callback: (error, msg) => {
        if (error !== null) this.break(fault('LOG_UNAVAILABLE', error.message));
        else this.#acknowledged(Number(msg.subject.slice(this.#inbox.length + 1)), parse(msg));
      },
    });
  }

  get epoch(): number {
    return this.#options.epoch;
  }

  /** How the epoch stands by what the server has answered. */
  get end(): EpochEnd {
    const last = this.#lastStored;
    return { epoch: this.epoch, last, holes: this.#holes.filter((n) => n < last) };
  }

  /** Records that are not settled. */
  get pending(): number {
    return this.#refused.length + this.#inFlight.records().length + this.#queue.length;
  }

  /** Records that are sent and not acknowledged. */
  get inFlight(): number {
    return this.#inFlight.recordCount;
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
    if (this.#broken !== undefined) return settle(E.left(this.#broken));
    const weight = this.#envelope.weigh(draft, this.#options.nc.info?.max_payload);
    if (typeof weight === 'number') this.submitWeighed(draft, weight, settle);
    else settle(E.left(weight));
  }

  /** {@link submit} of a record whose owner has weighed it, as {@link Envelope.weigh} does. */
  submitWeighed(draft: Draft, bytes: number, settle: Settle): void {
    if (this.#broken !== undefined) return settle(E.left(this.#broken));
    const pending: Pending = { n: this.#next++, draft, bytes, settle, sentAt: 0 };
    // Alone, a record goes at once; what comes in the same turn of the event loop is looked at together.
    const isAlone = this.#inFlight.size === 0 && this.#queue.length === 0;
    if ((isAlone || this.#options.grouping.groupFrom === Number.POSITIVE_INFINITY) && this.#maySendSingle()) {
      this.#send(pending);
    } else {
      this.#queue.push(pending);
      this.#pumpSoon();
    }
  }

  /** Ends the appender; what was sent and not acknowledged may or may not be in the log. */
  break(reason: Fault): void {
    if (this.#broken !== undefined) return;
    this.#broken = reason;
    clearInterval(this.#timer);
    this.#forget();
    this.#subscription.unsubscribe();
    const sent = [...this.#refused, ...this.#inFlight.records()];
    const unsettled = [
      ...sent.sort((a, b) => a.n - b.n).map((pending) => unsettledOf(pending, true)),
      ...this.#queue.clear().map((pending) => unsettledOf(pending, false)),
    ];
    this.#refused = [];
    this.#inFlight.clear();
    this.onBroken(reason, unsettled);
  }

  /** Ends the appender when nothing more is to be appended. */
  close(): void {
    this.break(fault('LOG_UNAVAILABLE', 'the appender is closed'));
  }

  #maySendSingle(): boolean {
    return (
      this.#refusal === undefined &&
      this.#queue.length === 0 &&
      !this.#inFlight.hasBatch &&
      !this.#batching.isHeld &&
      this.#inFlight.size < this.#options.grouping.window &&
      this.#inFlight.bytes < MAX_IN_FLIGHT_BYTES
    );
  }

  #pumpSoon(): void {
    if (this.#willPump) return;
    this.#willPump = true;
    queueMicrotask(() => {
      this.#willPump = false;
      this.#pump();
    });
  }

  /** Sends what may be sent: all that waits as one batch where that pays, else one by one. */
  #pump(): void {
    const { window, groupFrom } = this.#options.grouping;
    // A batch was refused whole: what was sent before it is answered first, so that none of it is left out (I2).
    if (this.#batching.isHeld && this.#inFlight.size > 0) return;
    const { mayTry } = this.#batching;
    while (
      this.#broken === undefined &&
      this.#refusal === undefined &&
      !this.#inFlight.hasBatch &&
      this.#queue.length > 0
    ) {
      if (this.#queue.length >= groupFrom && mayTry) {
        this.#sendBatch(this.#queue.take(MAX_GROUP, MAX_GROUP_BYTES));
      } else if (this.#inFlight.size < window && this.#inFlight.bytes < MAX_IN_FLIGHT_BYTES) {
        this.#send(this.#queue.shift() as Pending);
      } else {
        return;
      }
    }
  }

  #send(pending: Pending): void {
    this.#track(pending, pending.bytes);
    this.#publish(pending, this.#envelope.headersOf(pending.n, pending.draft), true);
  }

  #sendBatch(records: readonly Pending[]): void {
    const last = records.at(-1) as Pending;
    if (records.length === 1) return this.#send(last);
    this.#batches += 1;
    last.batch = records;
    this.#options.onGroup(records.length);
    let bytes = 0;
    for (const record of records) bytes += record.bytes;
    this.#track(last, bytes);
    // It cannot be guessed: a sender that knows it could add to the batch, and spoil it.
    const id = `${this.#options.epoch}.${this.#batches}.${randomBytes(12).toString('base64url')}`;
    for (const [index, record] of records.entries()) {
      const place = { id, i: index + 1, isLast: record === last };
      this.#publish(record, this.#envelope.headersOf(record.n, record.draft, place), record === last);
      failPoint('journal.batching');
      if (this.#broken !== undefined) return;
    }
  }

  #track(last: Pending, bytes: number): void {
    this.#inFlight.add(last, bytes);
    // One sweep a second for all, and only while something is in flight: an idle producer costs nothing.
    this.#timer ??= setInterval(() => this.#sweep(), Math.min(1_000, this.#options.ackTimeoutMs)).unref();
  }

  #publish({ n, draft }: Pending, headers: string, wantsAck: boolean): void {
    const reply = wantsAck ? `${this.#inbox}.${n}` : '';
    try {
      publishMessage(this.#options.nc, { subject: draft.subject, reply, headers, payload: draft.data });
    } catch (error) {
      this.break(fault('LOG_UNAVAILABLE', (error as Error).message));
    }
  }

  #acknowledged(n: number, ack: E.Either<Fault, PubAck>): void {
    const last = this.#inFlight.get(n);
    if (last === undefined) return;
    const records = last.batch ?? [last];
    if (E.isLeft(ack) && endsEpoch(ack.left)) return this.break(ack.left);
    if (E.isRight(ack) && ack.right.count !== records.length) {
      const text = `the server stored ${ack.right.count} of a batch of ${records.length}`;
      return this.break(fault('LOG_UNAVAILABLE', text));
    }
    this.#inFlight.remove(last);
    if (E.isRight(ack)) this.#stored(ack.right, records);
    else if (last.batch !== undefined && isTransient(ack.left)) this.#takeBack(records);
    else this.#refuse(ack.left, records);
    if (this.#inFlight.size === 0) this.#batching.release();
    if (this.#refusal === undefined) this.#pump();
    else if (this.#inFlight.size === 0) this.break(this.#refusal);
  }

  /**
   * The server took nothing of a batch (too many are open, it came in pieces, it could not be staged), and nothing was
   * sent behind it: its records go one by one, under the same numbers, and batches are tried again after a while.
   */
  #takeBack(records: readonly Pending[]): void {
    this.#batching.refused();
    for (const record of records) delete record.batch;
    this.#queue.putBack(records);
  }

  #stored({ seq, count }: PubAck, records: readonly Pending[]): void {
    if (records.length > 1) this.#batching.taken();
    for (const [index, { n, settle }] of records.entries()) {
      if (n > this.#lastStored) this.#lastStored = n;
      settle(E.right({ seq: seq - count + 1 + index, n }));
    }
  }

  /**
   * This is certain: the server says that it did not store it. Nothing more is sent (I2), but the server will say as
   * surely what became of those on their way.
   */
  #refuse(reason: Fault, records: readonly Pending[]): void {
    this.#refusal ??= reason;
    for (const { n } of records) this.#holes.push(n);
    if (isTransient(reason)) this.#refused.push(...records);
    else for (const { settle } of records) settle(E.left(reason));
  }

  #sweep(): void {
    const { oldest } = this.#inFlight;
    if (oldest === undefined) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    const waited = Math.round(performance.now() - oldest.sentAt);
    if (waited > this.#options.ackTimeoutMs) {
      this.break(fault('LOG_UNAVAILABLE', `no acknowledgement from the log for ${waited} ms`));
    }
  }
}
