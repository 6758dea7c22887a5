import type { NatsConnection } from 'nats';
import { type Fault, toFault } from '../../schemas/errors.js';
import type { WholeMessage } from '../../schemas/record.js';
import { Announcer, type Announces } from '../../system/async/announcer.js';
import { readLogBatches } from '../../journal/read/reader.js';

/** What the reader announces. */
export type ReaderNews = {
  /** The next records of the log, whole, in its order and without a gap: to those for whom somebody waits. */
  readonly urgent: [records: readonly WholeMessage[]];
  /** The same records, after that. */
  readonly records: [records: readonly WholeMessage[]];
};

export interface BrokerReaderOptions {
  readonly nc: NatsConnection;
  /** Where the log stands: everything behind this sequence is read. */
  readonly lastSeq: number;
  readonly say: (text: string) => void;
  /** The log cannot be read any further. Without it the broker would answer nothing, so it must stop. */
  readonly onLost: (fault: Fault) => void;
}

/**
 * The broker ends when the log does not answer for so long; a connection that is dead has been given up long before.
 */
export const PATIENCE_MS = 60_000;

/**
 * Reads the log once, for all parts of the broker: the gateway replies to its callers from it, and the index takes its
 * rows from it. Each consumer costs the server about as much as half of storing a record (docs/decisions/0057).
 */
export class BrokerReader implements Announces<ReaderNews> {
  readonly #news: Announcer<ReaderNews>;
  readonly #stop = new AbortController();
  #position: number;
  #thrown: { readonly thrown: unknown } | undefined;
  #running: Promise<void> = Promise.resolve();

  constructor(private readonly options: BrokerReaderOptions) {
    this.#position = options.lastSeq;
    this.#news = new Announcer((name, thrown) => {
      const text = thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown);
      options.say(`a listener for "${name}" threw: ${text}`);
      this.#thrown ??= { thrown };
    });
  }

  /** Listens to what is read. A listener from before {@link start} misses nothing. */
  on<K extends keyof ReaderNews>(name: K, listener: (...what: ReaderNews[K]) => void): () => void {
    return this.#news.on(name, listener);
  }

  /** The highest sequence that was announced, or where the log stood before. */
  get position(): number {
    return this.#position;
  }

  start(): void {
    this.#running = this.#run();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { nc, onLost } = this.options;
    const { signal } = this.#stop;
    try {
      const from = { fromSeq: this.#position + 1, follow: true };
      for await (const records of readLogBatches(nc, { ...from, patienceMs: PATIENCE_MS, signal })) {
        this.#position = records.at(-1)?.seq ?? this.#position;
        this.#news.announce('urgent', records);
        this.#news.announce('records', records);
        // Nobody knows what the listener left undone. The next start does all of it.
        if (this.#thrown !== undefined) throw this.#thrown.thrown;
      }
    } catch (error) {
      if (!signal.aborted) onLost(toFault(error));
    }
  }
}
