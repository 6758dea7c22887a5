import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { createInbox, headers as makeHeaders, type NatsConnection, type Subscription } from 'nats';
import { type Fault, fault } from '../../schemas/errors.js';
import { HEADER, SCHEMA_VERSION } from '../../schemas/headers.js';
import { formatIdentity } from '../../schemas/identity.js';
import { MAX_RECORD_BYTES } from '../../schemas/log.js';
import { epochSubject } from '../../schemas/subjects.js';
import { linkState } from './link-state.js';
import { parsePubAck } from './pub-ack.js';

/** A record to be appended. Identity, fence and schema version are the appender's to add. */
export interface Draft {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Where a record stands in the log. */
export interface Receipt {
  readonly seq: number;
  readonly n: number;
}

export interface AppenderOptions {
  readonly nc: NatsConnection;
  readonly producer: string;
  /** Sequence of the epoch record: every append names it as the fence. */
  readonly epoch: number;
  /** Number of the first record. */
  readonly next: number;
  /** Records sent and not acknowledged. More gain nothing: the server handles one stream's records one by one. */
  readonly maxInFlight?: number;
  /** Records waiting to be sent; above it an append is refused with OVERLOADED. */
  readonly maxQueued?: number;
  /** How long the oldest record may go unacknowledged, milliseconds. */
  readonly ackTimeoutMs?: number;
}

interface Pending {
  readonly n: number;
  readonly draft: Draft;
  readonly sentAt: number;
  readonly settle: (outcome: E.Either<Fault, Receipt>) => void;
}

/** A record whose fate is not known, or which was never sent, when the appender broke; in order of their numbers. */
export interface Unsettled {
  readonly n: number;
  readonly draft: Draft;
  readonly sent: boolean;
  readonly settle: (outcome: E.Either<Fault, Receipt>) => void;
}

/** Upper bound of what the server counts against the limit: subject, headers (what the appender adds: 250) and data. */
const recordBytes = ({ subject, data, headers }: Draft): number => {
  let bytes = data.length + subject.length + 250;
  for (const name in headers) bytes += name.length + (headers[name] as string).length + 4;
  return bytes;
};

/**
 * Appends one producer's records of one epoch: pipelined, numbered without a gap, each naming the fence, so that the
 * server refuses all of a producer that has been replaced. The first error of any kind ends the appender: a later
 * record must not be stored where an earlier one was not (I2). What happens to the unsettled then is `onBroken`'s.
 */
export class Appender {
  readonly #options: Required<AppenderOptions>;
  readonly #inbox = createInbox();
  readonly #subscription: Subscription;
  readonly #forget: () => void;
  /** Sent and unacknowledged; insertion order is order of numbers. */
  readonly #inFlight = new Map<number, Pending>();
  #queue: Pending[] = [];
  #head = 0;
  #next: number;
  #timer: NodeJS.Timeout | undefined;
  #broken: Fault | undefined;
  /** The first record that the server refused ends the epoch once the rest in flight is answered. */
  #refusal: Fault | undefined;

  constructor(
    options: AppenderOptions,
    private readonly onBroken: (reason: Fault, unsettled: readonly Unsettled[]) => void,
  ) {
    this.#options = { maxInFlight: 1_000, maxQueued: 100_000, ackTimeoutMs: 10_000, ...options };
    this.#next = options.next;
    const link = linkState(options.nc);
    // What is on its way when the connection goes may be lost or stored, and nobody will say which.
    this.#forget = link.onChange(() => {
      if (!link.isUp) this.break(fault('LOG_UNAVAILABLE', 'the connection to the server was lost'));
    });
    this.#subscription = options.nc.subscribe(`${this.#inbox}.*`, {
      callback: (error, msg) => {
        if (error !== null) this.break(fault('LOG_UNAVAILABLE', error.message));
        else this.#acknowledged(Number(msg.subject.slice(this.#inbox.length + 1)), parsePubAck(msg));
      },
    });
  }

  get epoch(): number {
    return this.#options.epoch;
  }

  get pending(): number {
    return this.#inFlight.size + this.#queue.length - this.#head;
  }

  append(draft: Draft): TaskEither<Fault, Receipt> {
    return () => new Promise((settle) => this.submit(draft, settle));
  }

  /** {@link append} without a promise a record, for paths where that shows. */
  submit(draft: Draft, settle: (outcome: E.Either<Fault, Receipt>) => void): void {
    if (this.#broken !== undefined) return settle(E.left(this.#broken));
    if (this.#queue.length - this.#head >= this.#options.maxQueued) {
      return settle(
        E.left(fault('OVERLOADED', `${this.pending} records wait to be stored; try again in 100 ms`)),
      );
    }
    // Checked before the record takes a number: a number that is never stored would be a gap (I2).
    const bytes = recordBytes(draft);
    if (bytes > MAX_RECORD_BYTES) {
      return settle(
        E.left(fault('PAYLOAD_TOO_LARGE', `a record of ${bytes} bytes is above ${MAX_RECORD_BYTES}`)),
      );
    }
    const pending = { n: this.#next++, draft, sentAt: 0, settle };
    const mayBeSent = this.#refusal === undefined && this.#inFlight.size < this.#options.maxInFlight;
    if (mayBeSent) this.#send(pending);
    else this.#queue.push(pending);
  }

  /** Ends the appender; what was sent and not acknowledged may or may not be in the log. */
  break(reason: Fault): void {
    if (this.#broken !== undefined) return;
    this.#broken = reason;
    clearInterval(this.#timer);
    this.#forget();
    this.#subscription.unsubscribe();
    const unsettled = [
      ...[...this.#inFlight.values()].map(({ n, draft, settle }) => ({ n, draft, settle, sent: true })),
      ...this.#queue.slice(this.#head).map(({ n, draft, settle }) => ({ n, draft, settle, sent: false })),
    ];
    this.#inFlight.clear();
    this.#queue = [];
    this.#head = 0;
    this.onBroken(reason, unsettled);
  }

  /** Ends the appender when nothing more is to be appended. */
  close(): void {
    this.break(fault('LOG_UNAVAILABLE', 'the appender is closed'));
  }

  #send(pending: Pending): void {
    const { nc, producer, epoch } = this.#options;
    const { n, draft } = pending;
    const headers = makeHeaders();
    headers.set(HEADER.id, formatIdentity({ producer, epoch, n }));
    headers.set(HEADER.fenceSequence, String(epoch));
    headers.set(HEADER.fenceSubject, epochSubject(producer));
    headers.set(HEADER.schema, SCHEMA_VERSION);
    for (const name in draft.headers) headers.set(name, draft.headers[name] as string);
    this.#inFlight.set(n, { ...pending, sentAt: Date.now() });
    // One sweep a second for all, and only while something is in flight: an idle producer costs nothing.
    this.#timer ??= setInterval(() => this.#sweep(), 1_000).unref();
    try {
      nc.publish(draft.subject, draft.data, { headers, reply: `${this.#inbox}.${n}` });
    } catch (error) {
      this.break(fault('LOG_UNAVAILABLE', (error as Error).message));
    }
  }

  #acknowledged(n: number, ack: E.Either<Fault, number>): void {
    const pending = this.#inFlight.get(n);
    if (pending === undefined) return;
    this.#inFlight.delete(n);
    if (E.isLeft(ack)) {
      // This one is certain: the server says that it did not store it. Nothing more is sent (I2), but the server will
      // say as surely what became of those on their way.
      pending.settle(ack);
      this.#refusal ??= ack.left;
    } else {
      pending.settle(E.right({ seq: ack.right, n }));
    }
    if (this.#refusal !== undefined) {
      if (this.#inFlight.size === 0) this.break(this.#refusal);
      return;
    }
    while (this.#inFlight.size < this.#options.maxInFlight && this.#head < this.#queue.length) {
      this.#send(this.#queue[this.#head++] as Pending);
    }
    // Shifting the array at every record would be quadratic; keeping what was sent would be a leak.
    if (this.#head > 1_024 && this.#head * 2 > this.#queue.length) {
      this.#queue = this.#queue.slice(this.#head);
      this.#head = 0;
    }
  }

  #sweep(): void {
    const oldest = this.#inFlight.values().next();
    if (oldest.done === true) {
      clearInterval(this.#timer);
      this.#timer = undefined;
      return;
    }
    const waited = Date.now() - oldest.value.sentAt;
    if (waited > this.#options.ackTimeoutMs) {
      this.break(fault('LOG_UNAVAILABLE', `no acknowledgement from the log for ${waited} ms`));
    }
  }
}
