import type { NatsConnection } from 'nats';
import { recordBytes } from '../../journal/wire/stored-message.js';
import type { WholeMessage } from '../../schemas/record.js';
import { Seldom } from '../../system/lines/seldom.js';
import type { BrokerReader } from '../reader/broker-reader.js';
import type { LiveInterest } from './live-interest.js';
import { liveMessage, TAKEOVER } from './live-message.js';
import { SubjectSet } from './subject-set.js';

export interface LiveFeedOptions {
  readonly nc: NatsConnection;
  readonly reader: Pick<BrokerReader, 'on'>;
  readonly interest: Pick<LiveInterest, 'look'>;
  /** Records behind this sequence are fed. */
  readonly after: number;
  readonly say: (text: string) => void;
}

/** From one look at who listens to the next, while records come. */
const LOOK_EVERY_MS = 25;
/** A look is at most one part in so many of the time. */
const LOOK_SHARE = 20;
/** Records that wait for the next look. Beyond that the oldest go out unasked. */
const MOST_RECORDS = 32_768;
/** Below what the server holds for a listener: it gets all of them at once. See access/limits.ts. */
const MOST_BYTES = 8 * 1024 * 1024;
/** Times as much, while records are held back. */
const MORE_WHILE_HELD = 4;
/** From this part of these limits on, the next look does not wait: it costs less than to send what nobody hears. */
const EARLY_LOOK = 1 / 8;
/** A server that did not tell is asked again after this. */
const RETRY_MS = 250;

const DEFAULT_MAX_PAYLOAD = 1_048_576;

/** Records that were read together, and for which listeners they were published already. */
interface Waiting {
  readonly records: readonly WholeMessage[];
  readonly bytes: number;
  readonly sentTo: SubjectSet[];
}

/**
 * Publishes each stored record on `live.<subject>` while somebody listens to that subject. It does not hear when a
 * listener comes: it asks the server now and then, and only while records come. Until then they wait here, so a new
 * listener gets all that was stored after its subscription, and no listener gets a record twice. A record is published
 * at once if it was known that somebody listens to it.
 */
export class LiveFeed {
  #wanted = SubjectSet.none;
  #waiting: Waiting[] = [];
  #records = 0;
  #bytes = 0;
  #lastSeq = 0;
  #isLooking = false;
  #nextLookAt = 0;
  #isFailing = false;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;
  /** So many ask for the records to wait. */
  #held = 0;
  readonly #seldom: Seldom;

  constructor(private readonly options: LiveFeedOptions) {
    this.#seldom = new Seldom(options.say);
    options.reader.on('records', (records) => this.#read(records));
  }

  /** Publishes nothing more. Idempotent. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#forget(this.#waiting.length);
  }

  /**
   * Records wait until the returned function is called, unless too many do: who may listen is about to change, and the
   * server does not know it yet.
   */
  hold(): () => void {
    this.#held += 1;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#held -= 1;
      this.#lookSoon();
    };
  }

  #read(all: readonly WholeMessage[]): void {
    if (this.#isClosed) return;
    const { after } = this.options;
    const records = (all[0]?.seq ?? 0) > after ? all : all.filter(({ seq }) => seq > after);
    let bytes = 0;
    for (const record of records) bytes += recordBytes(record);
    const waiting = { records, bytes, sentTo: [] };
    this.#waiting.push(waiting);
    this.#records += records.length;
    this.#bytes += bytes;
    this.#lastSeq = records.at(-1)?.seq ?? this.#lastSeq;
    if (this.#held === 0) this.#send(waiting, this.#wanted);
    const times = this.#held === 0 ? 1 : MORE_WHILE_HELD;
    while (this.#records > MOST_RECORDS * times || this.#bytes > MOST_BYTES * times) this.#sendOldest();
    this.#lookSoon();
  }

  /** In doubt somebody listens. */
  #sendOldest(): void {
    const [oldest] = this.#waiting;
    if (oldest !== undefined) this.#send(oldest, SubjectSet.all);
    this.#forget(1);
  }

  /** Publishes the records that are wanted, but those that were wanted before. */
  #send({ records, sentTo }: Waiting, wanted: SubjectSet): void {
    if (!wanted.isEmpty && !sentTo.includes(wanted)) {
      for (const record of records) {
        const { subject } = record;
        if (wanted.has(subject) && !sentTo.some((sent) => sent.has(subject))) this.#publish(record);
      }
    }
    if (!sentTo.includes(wanted)) sentTo.push(wanted);
  }

  #publish(record: WholeMessage): void {
    if (record.subject === TAKEOVER) return;
    const { nc } = this.options;
    try {
      const { subject, data, headers } = liveMessage(record, nc.info?.max_payload ?? DEFAULT_MAX_PAYLOAD);
      nc.publish(subject, data, { headers });
    } catch (error) {
      this.#seldom.say(`record ${record.seq} could not be sent to listeners: ${(error as Error).message}`);
    }
  }

  #forget(count: number): void {
    for (const { records, bytes } of this.#waiting.splice(0, count)) {
      this.#records -= records.length;
      this.#bytes -= bytes;
    }
  }

  #lookSoon(): void {
    if (this.#isLooking || this.#isClosed || this.#held > 0 || this.#waiting.length === 0) return;
    const pauseMs = this.#isEarly ? 0 : this.#nextLookAt - performance.now();
    if (pauseMs <= 0) return void this.#look();
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => void this.#look(), pauseMs).unref();
  }

  /** So much waits that the limits are near. A server that did not tell gets its time anyway. */
  get #isEarly(): boolean {
    const isMuch = this.#records > MOST_RECORDS * EARLY_LOOK || this.#bytes > MOST_BYTES * EARLY_LOOK;
    return isMuch && !this.#isFailing;
  }

  async #look(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#isLooking = true;
    const begun = performance.now();
    // Who listened when one of these was stored, listens now, or has ended.
    const upTo = this.#lastSeq;
    try {
      const wanted = await this.options.interest.look();
      this.#nextLookAt = begun + Math.max(LOOK_EVERY_MS, (performance.now() - begun) * LOOK_SHARE);
      this.#isFailing = false;
      if (!this.#isClosed && this.#held === 0) this.#looked(wanted, upTo);
    } catch {
      // The server is away, or too busy. The records wait.
      this.#isFailing = true;
      this.#nextLookAt = performance.now() + RETRY_MS;
    }
    this.#isLooking = false;
    this.#lookSoon();
  }

  #looked(wanted: SubjectSet, upTo: number): void {
    this.#wanted = wanted;
    for (const waiting of this.#waiting) this.#send(waiting, wanted);
    const left = this.#waiting.findIndex(({ records }) => (records.at(-1)?.seq ?? 0) > upTo);
    this.#forget(left < 0 ? this.#waiting.length : left);
  }
}
