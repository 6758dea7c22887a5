import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import type { StoredMessage } from '../../schemas/record.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { Appender, type Draft, type Receipt, type Unsettled } from './appender.js';
import { isReplaced, openEpoch } from './epoch.js';
import { linkState } from './link-state.js';

export interface ProducerOptions {
  readonly nc: NatsConnection;
  readonly name: string;
  /** The broker's own epoch. */
  readonly under: number;
  /** Subjects that this producer's records are on. */
  readonly filters: readonly string[];
  /** How long an append may wait for the log to come back before its caller is told, milliseconds. */
  readonly patienceMs?: number;
  /** Another broker has taken over; this one must stop. */
  readonly onReplaced: (reason: Fault) => void;
  readonly onReopen?: (reason: Fault) => void;
}

/** How often a producer looks whether the connection is back. */
const DOWN_POLL_MS = 20;

const pause = (ms: number): Promise<void> => new Promise((resume) => setTimeout(resume, ms));

/** Whether a stored record is what was sent. A sender can put this producer's identity on a command of its own. */
const isOf =
  ({ subject, data }: Draft) =>
  (message: StoredMessage): boolean =>
    message.subject === subject && Buffer.compare(message.data, data) === 0;

interface Waiting {
  readonly draft: Draft;
  readonly since: number;
  /** Number under the epoch that broke; null when it was never sent. */
  readonly n: number | null;
  readonly settle: (outcome: E.Either<Fault, Receipt>) => void;
}

/**
 * A producer inside the broker: an appender that outlives its epochs. When one breaks (a lost acknowledgement, a server
 * restart), it opens the next, reads what of the old one was stored, and sends just the rest, in order. A caller gets a
 * receipt or a fault that says whether the record is in the log.
 */
export class Producer {
  readonly #options: Required<Omit<ProducerOptions, 'onReopen'>> & Pick<ProducerOptions, 'onReopen'>;
  #appender: Appender | undefined;
  #waiting: Waiting[] = [];
  /** The epoch that records were last sent under. */
  #epoch = 0;
  /** Everything at or below is settled: where to look after a break. */
  #settledSeq = 0;
  #closed = false;
  #reopening: Promise<void> | undefined;

  private constructor(options: ProducerOptions) {
    this.#options = { patienceMs: 10_000, ...options };
  }

  /** Opens the first epoch; nothing of an earlier process is looked for, since its callers are gone. */
  static open(options: ProducerOptions): TaskEither<Fault, Producer> {
    return async () => {
      const { nc, name, under, filters } = options;
      const opened = await openEpoch({ nc, producer: name, under, filters, believes: () => false })();
      if (E.isLeft(opened)) return opened;
      const producer = new Producer(options);
      producer.#begin(opened.right.epoch, opened.right.fence);
      return E.right(producer);
    };
  }

  get pending(): number {
    return (this.#appender?.pending ?? 0) + this.#waiting.length;
  }

  append(draft: Draft): TaskEither<Fault, Receipt> {
    return () => new Promise((settle) => this.submit(draft, settle));
  }

  submit(draft: Draft, settle: (outcome: E.Either<Fault, Receipt>) => void): void {
    if (this.#closed) return settle(E.left(fault('LOG_UNAVAILABLE', 'the broker is stopping')));
    if (this.#appender === undefined) this.#waiting.push({ draft, since: Date.now(), n: null, settle });
    else this.#appender.submit(draft, this.#tracking(settle));
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#appender?.break(fault('LOG_UNAVAILABLE', 'the broker is stopping'));
    await this.#reopening;
  }

  #tracking(settle: Waiting['settle']): Waiting['settle'] {
    return (outcome) => {
      if (E.isRight(outcome) && outcome.right.seq > this.#settledSeq) this.#settledSeq = outcome.right.seq;
      settle(outcome);
    };
  }

  #begin(epoch: number, settledSeq: number): void {
    this.#epoch = epoch;
    this.#settledSeq = Math.max(this.#settledSeq, settledSeq);
    const { nc, name } = this.#options;
    this.#appender = new Appender({ nc, producer: name, epoch, next: 1 }, (reason, unsettled) =>
      this.#broken(reason, unsettled),
    );
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { draft, settle } of waiting) this.submit(draft, settle);
  }

  #broken(reason: Fault, unsettled: readonly Unsettled[]): void {
    this.#appender = undefined;
    const since = Date.now();
    const before = unsettled.map(({ n, draft, settle, sent }) => ({
      draft,
      settle,
      since,
      n: sent ? n : null,
    }));
    this.#waiting = [...before, ...this.#waiting];
    if (this.#closed) return this.#giveUp(reason, Number.POSITIVE_INFINITY);
    this.#options.onReopen?.(reason);
    this.#reopening ??= this.#reopen(reason).finally(() => {
      this.#reopening = undefined;
    });
  }

  async #reopen(reason: Fault): Promise<void> {
    const { nc, name, under, filters, patienceMs, onReplaced } = this.#options;
    let pauseMs = 50;
    while (!this.#closed) {
      if (!linkState(nc).isUp) {
        this.#giveUp(reason, Date.now() - patienceMs);
        await pause(DOWN_POLL_MS);
        continue;
      }
      const opened = await openEpoch({
        nc,
        producer: name,
        under,
        fromSeq: this.#settledSeq + 1,
        filters,
        believes: (_, epoch) => epoch === this.#epoch,
      })();
      if (E.isRight(opened)) {
        this.#resolve(opened.right.stored);
        this.#begin(opened.right.epoch, opened.right.fence);
        // What waited is sent at once, and the connection may be gone again already.
        if (this.#appender !== undefined) return;
        continue;
      }
      if (isReplaced(opened.left)) {
        this.#closed = true;
        this.#giveUp(opened.left, Number.POSITIVE_INFINITY);
        onReplaced(opened.left);
        return;
      }
      this.#giveUp(opened.left, Date.now() - patienceMs);
      await pause(pauseMs);
      pauseMs = Math.min(pauseMs * 2, 1_000);
    }
    this.#giveUp(reason, Number.POSITIVE_INFINITY);
  }

  /** What was sent under the old epoch and is stored has its receipt; the rest stays, to be sent again. */
  #resolve(stored: ReadonlyMap<number, readonly StoredMessage[]>): void {
    const rest: Waiting[] = [];
    for (const waiting of this.#waiting) {
      const found = waiting.n === null ? undefined : stored.get(waiting.n)?.find(isOf(waiting.draft));
      if (found === undefined) rest.push({ ...waiting, n: null });
      else waiting.settle(E.right({ seq: found.seq, n: waiting.n as number }));
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
