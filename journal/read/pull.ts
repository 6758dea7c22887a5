import { createInbox, type Msg, type NatsConnection, type Subscription } from 'nats';
import { type Fault, fault } from '../../schemas/errors.js';
import { LOG, PULL_GROUP } from '../../schemas/log.js';
import { openLane } from './fast-lane.js';
import { linkState } from '../../link/link-state.js';
import { headerOf, headersOf } from '../../link/message-headers.js';
import { PIN_HEADER } from './pin.js';
import { LogMessage, parseDelivery } from '../wire/stored-message.js';
import { sayThrown, callbackFault } from '../../link/callback-faults.js';
import type { WireRecord } from '../wire/wire-record.js';

/** A record of the log, as a consumer delivered it. */
export interface Pulled {
  readonly message: LogMessage | WireRecord;
  /** Number of this delivery, from 1 and without a gap. */
  readonly delivered: number;
}

export interface PullOptions {
  readonly nc: NatsConnection;
  /** Prefix of the JetStream API as this account has it. */
  readonly apiPrefix: string;
  readonly consumer: string;
  /** What it throws breaks this pull, as `INTERNAL`, and no other. */
  readonly onMessage: (pulled: Pulled) => void;
  /** A message may have been lost on the way, or no more arrive: the consumer must be reset and pulled again. */
  readonly onBroken: (reason: Fault) => void;
}

/** What the reply subjects begin with of what a consumer delivers for the first time, up to the sequence. */
const firstDelivery = (consumer: string): string => `$JS.ACK.${LOG}.${consumer}.1.`;

/**
 * The subject that acknowledges a message of a consumer and, where the consumer's policy is `all`, every one before
 * it. The server looks at neither of the last two parts, time and number of messages behind it (2.15.1: consumer.go
 * 6266).
 */
export const acknowledgementOf = (
  consumer: string,
  { seq, delivered }: { readonly seq: number; readonly delivered: number },
): string => `${firstDelivery(consumer)}${seq}.${delivered}.0.0`;

/**
 * What one request may bring, bytes: two of them together must stay below what the server holds for a connection
 * (access/limits.ts), or it would close the connection when many large records come at once. A prime number, because a
 * request whose bytes are used up to the last one ends silently: records of one size never do that.
 */
const PULL_BYTES = 2_097_143;

const SECOND_NS = 1_000_000_000;
const EXPIRES_NS = 60 * SECOND_NS;
const HEARTBEAT_NS = 15 * SECOND_NS;
/** Two heartbeats and a little. A connection that is dead is found by `link/keepalive.ts`, sooner than this. */
const SILENCE_MS = 32_000;
/** Between two looks whether the consumer is silent. */
const MIN_LOOK_MS = 1_000;

/**
 * Pulls from an existing consumer, in order and with the number of messages on their way under the owner's
 * control. Deliveries are numbered without a gap from 1 after a reset, so that a lost one is noticed.
 */
export class Pull {
  readonly #inbox = createInbox();
  readonly #subscription: Subscription;
  readonly #closeLane: () => void;
  readonly #forget: () => void;
  #watch: NodeJS.Timeout;
  /** Asked for and not delivered. */
  #outstanding = 0;
  #wanted = 0;
  #delivered = 0;
  #heard = performance.now();
  /** What the server gave the first message of this pull; later requests must name it. See PULL_GROUP. */
  #pin: string | undefined;
  #closed = false;

  constructor(private readonly options: PullOptions) {
    const { nc } = options;
    this.#forget = linkState(nc).onLost((why) => this.#break(why));
    this.#subscription = nc.subscribe(this.#inbox, {
      callback: (error, msg) => {
        try {
          if (error !== null) this.#break(error.message);
          else this.#parsed(msg);
        } catch (thrown) {
          sayThrown(nc, `what takes the records of ${options.consumer} threw`, thrown);
          this.#threw(thrown);
        }
      },
    });
    this.#closeLane = openLane(nc, {
      sid: this.#subscription.getID(),
      replyPrefix: firstDelivery(options.consumer),
      onRecord: (record, delivered) => this.#received(record, delivered),
      onThrown: (thrown) => this.#threw(thrown),
    });
    this.#watch = this.#watchAfter(SILENCE_MS);
  }

  /** Keeps about this many messages on their way; call it again whenever there is room. */
  want(messages: number): void {
    this.#wanted = messages;
    // Asking for one at a time would cost a request a message.
    if (!this.#closed && this.#outstanding * 2 <= messages && messages > 0)
      this.#request(messages - this.#outstanding);
  }

  /** Ends without a report to the owner. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#watch);
    this.#forget();
    this.#closeLane();
    this.#subscription.unsubscribe();
  }

  /** What is heard only notes the time: the timer finds out how long the rest of the silence may be. */
  #watchAfter(ms: number): NodeJS.Timeout {
    return setTimeout(() => {
      const silentMs = Math.round(performance.now() - this.#heard);
      if (this.#outstanding > 0 && silentMs >= SILENCE_MS)
        this.#break(`the consumer has been silent for ${silentMs} ms`);
      else this.#watch = this.#watchAfter(Math.max(MIN_LOOK_MS, SILENCE_MS - silentMs));
    }, ms).unref();
  }

  #request(batch: number): void {
    const { nc, apiPrefix, consumer } = this.options;
    this.#outstanding += batch;
    this.#heard = performance.now();
    const pin = this.#pin === undefined ? {} : { id: this.#pin };
    const body = JSON.stringify({
      batch,
      max_bytes: PULL_BYTES,
      expires: EXPIRES_NS,
      idle_heartbeat: HEARTBEAT_NS,
      group: PULL_GROUP,
      ...pin,
    });
    try {
      nc.publish(`${apiPrefix}.CONSUMER.MSG.NEXT.${LOG}.${consumer}`, body, { reply: this.#inbox });
    } catch (error) {
      this.#break((error as Error).message);
    }
  }

  /** What the client library parsed: notices, what is delivered again, and all records where there is no fast lane. */
  #parsed(msg: Msg): void {
    const delivery = parseDelivery(msg.reply ?? '');
    if (delivery === undefined) return this.#status(msg);
    const { seq, delivered, nanos } = delivery;
    this.#received(new LogMessage(seq, nanos, msg), delivered);
  }

  #received(message: LogMessage | WireRecord, delivered: number): void {
    if (this.#closed) return;
    this.#heard = performance.now();
    if (delivered !== this.#delivered + 1) {
      return this.#break(`delivery ${delivered} came after ${this.#delivered}`);
    }
    this.#delivered = delivered;
    this.#pin ??= message.header(PIN_HEADER);
    this.#outstanding -= 1;
    this.options.onMessage({ message, delivered });
  }

  #status(msg: Msg): void {
    if (this.#closed) return;
    this.#heard = performance.now();
    const { code, description } = headersOf(msg);
    if (code === 100) return; // Heartbeat.
    // A request has brought all its records and has bytes left: nothing is missing.
    if (code === 409 && /batch completed/i.test(description)) return;
    const isFull = code === 409 && /exceeds maxbytes/i.test(description);
    if (code === 404 || code === 408 || isFull) {
      // A request ran out of time or bytes; the header says how much of it was not used.
      this.#outstanding -= Number(headerOf(msg, 'Nats-Pending-Messages') ?? 0);
      this.want(this.#wanted);
      return;
    }
    this.#break(`the consumer says: ${code} ${description}`);
  }

  /** A record may not have been taken: the owner must learn from the log which ones were. */
  #threw(thrown: unknown): void {
    this.#end(callbackFault(`what takes the records of ${this.options.consumer}`, thrown));
  }

  #break(reason: string): void {
    this.#end(fault('LOG_UNAVAILABLE', reason));
  }

  #end(reason: Fault): void {
    if (this.#closed) return;
    this.close();
    this.options.onBroken(reason);
  }
}
