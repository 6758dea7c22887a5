import type { JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from 'nats';
import { deliveredPayload } from '../../schemas/delivered-event.js';
import { FaultError, fault } from '../../schemas/errors.js';
import { pause } from '../../system/async/pause.js';
import { HeardQueue } from '../hearing/heard-queue.js';
import type { HeardPage } from '../hearing/past-events.js';
import type { BrokerReader } from '../reader/broker-reader.js';
import { answerBytes } from '../serving/answer.js';

/** Events that are kept in memory for one subscription: a program that keeps up needs no more. */
const MOST = { events: 1_024, bytes: 1_048_576 };
/** Of a reply, what is not events. */
const FRAME_BYTES = 256;

export interface EventPagesOptions {
  readonly nc: NatsConnection;
  readonly jsm: JetStreamManager;
  readonly reader: Pick<BrokerReader, 'on' | 'position'>;
}

/** Which events. */
export interface EventFilter {
  readonly events: readonly string[];
  readonly agent: string | null;
}

/** A page as it is sent: the events are JSON already. */
export interface EncodedPage {
  readonly events: readonly Uint8Array[];
  readonly upTo: number;
}

/** The events of one filter, page by page, while a program asks for them. */
export class EventPages {
  readonly #queue: HeardQueue;
  /** Each ends the wait of a request. */
  readonly #waiting = new Set<() => void>();
  #isClosed = false;

  constructor(
    filter: EventFilter,
    private readonly options: EventPagesOptions,
  ) {
    const { nc, reader } = options;
    const agent = filter.agent ?? undefined;
    this.#queue = new HeardQueue({ nc, reader, onEvents: () => this.#wake(), agent, most: MOST });
    this.#queue.listenTo(filter.events);
  }

  /**
   * The next events behind a sequence, so many at most. It waits for the first one until `untilMs` of the monotonic
   * clock.
   */
  async next(after: number, batch: number, untilMs: number): Promise<EncodedPage> {
    const { reader, nc } = this.options;
    const maxBytes = answerBytes(nc) - FRAME_BYTES;
    for (let at = after; ; ) {
      const page = await this.#queue.page(at, batch);
      // A queue that is closed has no events, and says nothing about those that there are.
      if (this.#isClosed)
        throw new FaultError(fault('LOG_UNAVAILABLE', 'the subscription is closed just now'));
      if (page.events.length > 0) return encoded(page, maxBytes);
      at = page.upTo;
      if (at < reader.position) continue;
      const leftMs = untilMs - performance.now();
      if (leftMs <= 0) return { events: [], upTo: at };
      // Nothing has come since the look: there was no turn of the event loop in between.
      await this.#newsWithin(leftMs);
    }
  }

  /** How many events there are behind a sequence. */
  waiting(after: number): Promise<number> {
    return this.#queue.waiting(after, this.options.jsm);
  }

  close(): void {
    this.#isClosed = true;
    this.#queue.close();
    this.#wake();
  }

  #wake(): void {
    for (const end of this.#waiting) end();
  }

  /** Waits for an event for so long. */
  async #newsWithin(ms: number): Promise<void> {
    const over = new AbortController();
    const end = (): void => over.abort();
    this.#waiting.add(end);
    await pause(ms, { signal: over.signal });
    this.#waiting.delete(end);
  }
}

/** As many events of the page as fit into one answer; one at least. */
const encoded = ({ events, upTo }: HeardPage, maxBytes: number): EncodedPage => {
  const taken: Uint8Array[] = [];
  let bytes = 0;
  let last = 0;
  for (const event of events) {
    const payload = deliveredPayload(event, maxBytes);
    if (taken.length > 0 && bytes + payload.length + 1 > maxBytes) return { events: taken, upTo: last };
    taken.push(payload);
    bytes += payload.length + 1;
    last = event.seq;
  }
  return { events: taken, upTo };
};
