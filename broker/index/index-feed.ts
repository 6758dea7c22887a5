import type { NatsConnection } from 'nats';
import type { StoredMessage, WholeMessage } from '../../schemas/record.js';
import { readLogBatches } from '../../journal/read/reader.js';
import { recordBytes } from '../../journal/wire/stored-message.js';
import { Waker } from '../../system/async/waker.js';
import { type BrokerReader, PATIENCE_MS } from '../reader/broker-reader.js';

/** Records that may wait for the index. More are left out, and read from the log when there is time. */
const MOST_RECORDS = 65_536;
/** The same in bytes, which these records hold. */
const MOST_BYTES = 32 * 1024 * 1024;

export interface IndexFeedOptions {
  readonly nc: NatsConnection;
  readonly reader: Pick<BrokerReader, 'on' | 'position'>;
  /** Up to where the index has taken the log. */
  readonly position: () => number;
  readonly take: (record: StoredMessage) => void;
  /** Whether {@link room} must be awaited before the next record. */
  readonly isFull: () => boolean;
  readonly room: () => Promise<void>;
  readonly signal: AbortSignal;
  /** How many records may wait. */
  readonly mostRecords?: number;
}

/**
 * Gives the index each record once, in the order of the log. Mostly that is what the broker's reader has just read. An
 * index that waits for its files stops nobody: its records wait here, and if they are too many they are dropped. Then,
 * as after a start, the index reads the log with a second consumer, without payloads, until it has come to where the
 * reader stands.
 */
export class IndexFeed {
  readonly #waker = new Waker();
  #queue: (readonly WholeMessage[])[] = [];
  #records = 0;
  #bytes = 0;
  /** Records before those in the queue are to be read from the log. */
  #isBehind = true;
  /** Nothing waits: the next records are taken as they come. */
  #isIdle = false;
  #thrown: { readonly thrown: unknown } | undefined;

  constructor(private readonly options: IndexFeedOptions) {
    options.signal.addEventListener('abort', () => this.#waker.wake());
  }

  /** Until the signal is aborted. Throws what taking a record threw, and what the log could not give. */
  async run(): Promise<void> {
    const forget = this.options.reader.on('records', (records) => this.#offered(records));
    try {
      await this.#work();
    } finally {
      forget();
    }
  }

  async #work(): Promise<void> {
    const { signal } = this.options;
    while (!signal.aborted) {
      if (this.#isBehind) await this.#catchUp();
      const records = this.#queue.shift();
      if (records !== undefined) {
        this.#records -= records.length;
        this.#bytes -= bytesOf(records);
        await this.#takeAll(records);
        continue;
      }
      if (this.#isBehind) continue;
      this.#isIdle = true;
      await this.#waker.wait();
      this.#isIdle = false;
      if (this.#thrown !== undefined) throw this.#thrown.thrown;
    }
  }

  #offered(records: readonly WholeMessage[]): void {
    if (this.#isIdle) {
      const taken = this.#takeNow(records);
      if (taken < records.length) this.#wait(records.slice(taken));
    } else this.#wait(records);
  }

  /** Takes records until there is no room for more. Returns how many. */
  #takeNow(records: readonly WholeMessage[]): number {
    const { take, isFull } = this.options;
    try {
      for (let i = 0; i < records.length; i++) {
        if (isFull()) return i;
        take(records[i] as WholeMessage);
      }
      return records.length;
    } catch (thrown) {
      this.#thrown = { thrown };
      return 0;
    }
  }

  #wait(records: readonly WholeMessage[]): void {
    this.#isIdle = false;
    this.#queue.push(records);
    this.#records += records.length;
    this.#bytes += bytesOf(records);
    if (this.#records > (this.options.mostRecords ?? MOST_RECORDS) || this.#bytes > MOST_BYTES) {
      this.#forget();
      this.#isBehind = true;
    }
    this.#waker.wake();
  }

  #forget(): void {
    this.#queue = [];
    this.#records = 0;
    this.#bytes = 0;
  }

  async #takeAll(records: readonly StoredMessage[]): Promise<void> {
    const { take, isFull, room } = this.options;
    for (const record of records) {
      if (isFull()) await room();
      take(record);
    }
  }

  /** Reads up to where the reader stands. What it reads meanwhile waits, and follows. */
  async #catchUp(): Promise<void> {
    const { nc, reader, position, signal } = this.options;
    this.#forget();
    this.#isBehind = false;
    const range = { fromSeq: position() + 1, toSeq: reader.position };
    if (range.fromSeq > range.toSeq) return;
    const how = { headersOnly: true, patienceMs: PATIENCE_MS, signal };
    for await (const records of readLogBatches(nc, { ...range, ...how })) await this.#takeAll(records);
  }
}

const bytesOf = (records: readonly WholeMessage[]): number => {
  let bytes = 0;
  for (const record of records) bytes += recordBytes(record);
  return bytes;
};
