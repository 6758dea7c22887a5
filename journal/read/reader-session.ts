import { createInbox, type Msg, nuid, type Subscription } from 'nats';
import { type Fault, fault } from '../../schemas/errors.js';
import { DELIVERED } from '../../schemas/operate.js';
import type { WholeMessage } from '../../schemas/record.js';
import { openLane } from './fast-lane.js';
import { headersOf } from '../../link/message-headers.js';
import { type LogApi, type ReadConsumer, STREAM } from './reader-api.js';
import { LogMessage, parseDelivery } from '../wire/stored-message.js';
import { sayThrown, callbackFault } from '../../link/callback-faults.js';
import type { Waker } from '../../system/async/waker.js';
import type { WireRecord } from '../wire/wire-record.js';

/**
 * One pull asks for this much, and when it has ended the next is made where less than half of this waits: at most
 * twice this waits for its reader, besides what the reader took last and holds.
 */
export const PULL_RECORDS = 16_384;
// Two together stay below what the server holds for a connection; see access/limits.ts.
export const PULL_BYTES = 3 * 1024 * 1024;
/** How much more the next pull of a reader that began with a small one asks for. */
const GROWTH = 4;
const PULL_EXPIRES_MS = 30_000;
const HEARTBEAT_MS = 1_000;
/** The same for a reader that follows the log, and has nothing to do most of the time. */
const FOLLOW_HEARTBEAT_MS = 10_000;
/** Heartbeats in a row that do not come, after which a pull is taken for lost. */
const SILENT_TICKS = 3;

/** Fields of the client's messages that its types do not have: bytes on the wire, as the server counts them. */
interface Sized {
  readonly size: () => number;
}

export interface ReaderSessionOptions {
  /** Records that are asked for at first. */
  readonly firstPull: number;
  /** Pulls that are open at a time. */
  readonly pulls: number;
  /** Bytes that a pull asks for. */
  readonly pullBytes: number;
  /** Whether it reads without an end. */
  readonly follow: boolean;
}

/**
 * One of the pulls that are open at a time. The server deals records to them in turn: each has a separate subscription,
 * which tells how much of it is left.
 */
interface OpenPull {
  readonly inbox: string;
  readonly subscription: Subscription;
  readonly closeLane: () => void;
  /** Where its current request is answered. */
  subject: string;
  /** What is left of it; 0: it is not open. */
  records: number;
  bytes: number;
}

const nanos = (ms: number): number => ms * 1_000_000;

/**
 * One life of one consumer: pulls, checks that no delivery is missing, and queues. It breaks at the first doubt and
 * never heals: the reader makes a new one behind the last record it yielded, which is what makes resuming exact.
 */
export class ReaderSession {
  /** Why it delivers no more; what is queued still counts. */
  broken: Fault | undefined;
  /** Whether a record or heartbeat arrived since this was last set to false. */
  alive = false;
  /** Whether the server, asked for more, had nothing to send for a heartbeat's time. */
  idle = false;

  readonly consumer: string;

  /** Matching records behind the last one received, as the server counts them. */
  private pending: number;
  private readonly pullBy: string | undefined;
  private queue: WholeMessage[] = [];
  private queuedBytes = 0;
  private expected = 1;
  private requests = 0;
  private pullRecords: number;
  private silentTicks = 0;
  private readonly pulls: readonly OpenPull[];
  private readonly heartbeatMs: number;
  private readonly pullBytes: number;
  private readonly ticker: NodeJS.Timeout;

  constructor(
    private readonly api: LogApi,
    { name, pending, pullBy }: ReadConsumer,
    private readonly waker: Waker,
    options: ReaderSessionOptions,
  ) {
    this.consumer = name;
    this.pending = pending;
    this.pullBy = pullBy;
    this.pullRecords = options.firstPull;
    this.pullBytes = options.pullBytes;
    this.pulls = Array.from({ length: options.pulls }, () => this.makePull());
    this.heartbeatMs = options.follow ? FOLLOW_HEARTBEAT_MS : HEARTBEAT_MS;
    this.ticker = setInterval(() => this.tick(), this.heartbeatMs);
    this.pull();
  }

  private makePull(): OpenPull {
    const { nc } = this.api;
    const inbox = this.pullBy === undefined ? createInbox() : `${DELIVERED}.${nuid.next()}`;
    const subscription = nc.subscribe(`${inbox}.*`, {
      callback: (error, message) => {
        try {
          if (error === null) this.receive(pull, message);
          else this.refuse(error);
        } catch (thrown) {
          sayThrown(nc, `reading consumer ${this.consumer} threw`, thrown);
          this.threw(thrown);
        }
      },
    });
    const closeLane = openLane(nc, {
      sid: subscription.getID(),
      replyPrefix: `$JS.ACK.${STREAM}.${this.consumer}.1.`,
      onRecord: (record, delivered, left, size) => this.receiveRecord(pull, record, delivered, left, size),
      onThrown: (thrown) => this.threw(thrown),
    });
    const pull: OpenPull = { inbox, subscription, closeLane, subject: '', records: 0, bytes: 0 };
    return pull;
  }

  /** Whether everything that the server counts as matching has been taken. */
  get isDrained(): boolean {
    return this.queue.length === 0 && this.pending === 0;
  }

  /** What has arrived, in order; asks for more, so that the next records travel while these are handled. */
  take(): readonly WholeMessage[] {
    const taken = this.queue;
    if (taken.length > 0) this.queue = [];
    this.queuedBytes = 0;
    if (taken.length === 0 || this.isEager) this.pull();
    return taken;
  }

  close(): void {
    clearInterval(this.ticker);
    for (const { closeLane, subscription } of this.pulls) {
      closeLane();
      subscription.unsubscribe();
    }
  }

  breakOff(reason: string): void {
    this.broken ??= fault('LOG_UNAVAILABLE', reason);
    this.waker.wake();
  }

  /** A record may not have been queued: the next session begins behind the last one that was yielded. */
  private threw(thrown: unknown): void {
    this.broken ??= callbackFault(`reading consumer ${this.consumer}`, thrown);
    this.waker.wake();
  }

  /** Whether more is asked for before all is taken: not for one that began with little and may have enough. */
  private get isEager(): boolean {
    return this.pullRecords === PULL_RECORDS;
  }

  private refuse(error: Error): void {
    this.broken ??= fault('SERVER_REFUSED', error.message);
    this.waker.wake();
  }

  /** Opens what may be open: one pull of a reader that began with little. */
  private pull(): void {
    if (this.broken !== undefined || this.api.nc.isClosed()) return;
    const open = this.isEager ? this.pulls : this.pulls.slice(0, 1);
    for (const pull of open) if (pull.records === 0) this.request(pull);
  }

  private request(pull: OpenPull): void {
    // The first of two asks for half: from then on one ends when the other is half done.
    const share = this.requests === 0 && this.isEager ? this.pulls.length : 1;
    if (this.requests > 0) this.pullRecords = Math.min(PULL_RECORDS, this.pullRecords * GROWTH);
    this.requests += 1;
    pull.subject = `${pull.inbox}.${this.requests}`;
    pull.records = Math.ceil(this.pullRecords / share);
    pull.bytes = this.pullBytes / share;
    this.silentTicks = 0;
    const body = {
      batch: pull.records,
      max_bytes: pull.bytes,
      expires: nanos(PULL_EXPIRES_MS),
      idle_heartbeat: nanos(this.heartbeatMs),
    };
    const { nc, prefix } = this.api;
    if (this.pullBy === undefined) {
      const subject = `${prefix}.CONSUMER.MSG.NEXT.${STREAM}.${this.consumer}`;
      nc.publish(subject, JSON.stringify(body), { reply: pull.subject });
      return;
    }
    const place = pull.subject.slice(DELIVERED.length + 1);
    nc.publish(`${this.pullBy}.${STREAM}.${this.consumer}.${place}`, JSON.stringify(body));
  }

  /** What the client library parsed: notices, and records where there is no fast lane. */
  private receive(pull: OpenPull, message: Msg): void {
    const delivery = parseDelivery(message.reply ?? '');
    if (delivery === undefined) return this.receiveStatus(pull, message);
    const { seq, delivered, nanos, pending } = delivery;
    const record = new LogMessage(seq, nanos, message);
    this.receiveRecord(pull, record, delivered, pending, (message as Msg & Sized).size());
  }

  private receiveRecord(
    pull: OpenPull,
    record: WireRecord | LogMessage,
    delivered: number,
    pending: number,
    size: number,
  ): void {
    this.silentTicks = 0;
    this.alive = true;
    if (this.broken !== undefined) return;
    if (delivered !== this.expected) {
      return this.breakOff(`delivery ${this.expected} of consumer ${this.consumer} did not arrive`);
    }
    this.idle = false;
    this.expected += 1;
    this.pending = pending;
    this.queue.push(record);
    this.queuedBytes += size;
    pull.records -= 1;
    // The server ends a pull silently when its bytes are used up to the last one.
    pull.bytes -= size;
    if (pull.records === 0 || pull.bytes <= 0) this.pullEnded(pull);
    this.waker.wake();
  }

  private receiveStatus(pull: OpenPull, message: Msg): void {
    this.silentTicks = 0;
    this.alive = true;
    if (message.subject !== pull.subject) return;
    const { code, description } = headersOf(message);
    if (code === 100) {
      this.idle = this.queue.length === 0;
      return this.waker.wake();
    }
    const ended = code === 404 || code === 408 || (code === 409 && /exceeds maxbytes/i.test(description));
    if (ended) return this.pullEnded(pull);
    this.breakOff(`consumer ${this.consumer} is gone: ${code} ${description}`);
  }

  private pullEnded(pull: OpenPull): void {
    pull.records = 0;
    if (this.queue.length > 0 && !this.isEager) return;
    // A reader that lags behind asks again itself, when it takes what is here.
    if (this.queue.length < PULL_RECORDS / 2 && this.queuedBytes < this.pullBytes / 2) this.pull();
  }

  private tick(): void {
    if (this.pulls.every(({ records }) => records === 0)) return;
    this.silentTicks += 1;
    if (this.silentTicks >= SILENT_TICKS) this.breakOff('the log has been silent for too long');
  }
}
