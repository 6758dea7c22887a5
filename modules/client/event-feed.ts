import { type Either, isLeft } from 'fp-ts/lib/Either.js';
import { nuid } from 'nats';
import type { DeliveredEvent } from '../../schemas/delivered-event.js';
import { ERRORS } from '../../schemas/error-table.js';
import { type Fault, FaultError, fault, toFault } from '../../schemas/errors.js';
import type {
  Acknowledge,
  Acknowledged,
  EventPage,
  NextEvents,
  OpenedSubscription,
  OpenSubscription,
} from '../../schemas/subscription.js';
import { Backoff } from '../../system/async/backoff.js';
import { pause } from '../../system/async/pause.js';
import { SerialQueue } from '../../system/async/serial-queue.js';
import { Acknowledger } from './acknowledger.js';

/** The way of a subscription to a log. */
export interface SubscriptionRoute {
  readonly open: (name: string, body: OpenSubscription) => Promise<Either<Fault, OpenedSubscription>>;
  readonly next: (name: string, body: NextEvents) => Promise<Either<Fault, EventPage>>;
  readonly ack: (name: string, body: Acknowledge) => Promise<Either<Fault, Acknowledged>>;
  /** Why no request has a reply any more; undefined: the next one may have one. */
  readonly over: () => Promise<Fault | undefined>;
}

export interface EventFeedOptions {
  readonly name: string;
  readonly open: Omit<OpenSubscription, 'session'>;
  /** `next`: an event is acknowledged when the next one is asked for. */
  readonly ack: 'next' | 'explicit';
}

/** How long a request waits for an event. A broker that dies meanwhile does not answer it, so it is short. */
const EXPIRES_MS = 5_000;
/** Pages that are there before they are needed. */
const PAGES = 2;
const FIRST_PAUSE_MS = 20;
const MAX_PAUSE_MS = 1_000;
/** So many records without an event of the subscription are acknowledged, so that they are not looked through again. */
const MANY_RECORDS = 10_000;

const CLOSED = new FaultError(fault('LOG_UNAVAILABLE', 'the subscription is closed'));

/**
 * The events of a subscription, one after the other. It asks again for ever while the broker is away; a refusal that
 * stays one ends it. The next page comes while the one before is handled.
 */
export class EventFeed {
  /** Resolves when the broker has the subscription. */
  readonly opened: Promise<OpenedSubscription>;
  readonly #session = nuid.next();
  readonly #closing = new AbortController();
  readonly #acks: Acknowledger;
  readonly #turns = new SerialQueue();
  #pages: (readonly DeliveredEvent[])[] = [];
  /** Index of the next event in the first page. */
  #at = 0;
  #after = 0;
  #given = 0;
  #fetching: Promise<void> | undefined;
  #failure: Fault | undefined;
  #wake: () => void = () => undefined;

  constructor(
    private readonly route: SubscriptionRoute,
    private readonly options: EventFeedOptions,
  ) {
    const { name, open } = options;
    const session = this.#session;
    this.#acks = new Acknowledger({
      store: async (seq, signal) =>
        (await this.#persist(() => route.ack(name, { seq, session }), signal)).position,
      onFailed: (problem) => this.#fail(problem),
    });
    this.opened = this.#persist(() => route.open(name, { ...open, session }), this.#closing.signal);
    this.opened.catch((error: unknown) => this.#fail(toFault(error)));
    this.#fetchAhead();
  }

  /** The next event; undefined when the feed is closed. Throws `FaultError`. */
  next(): Promise<DeliveredEvent | undefined> {
    // Most events are here already, and a place in the queue takes longer than to hand one out.
    const ready = this.#turns.length === 0 ? this.#ready() : undefined;
    return ready === undefined ? this.#turns.run(() => this.#next()) : Promise.resolve(ready);
  }

  /** All events up to this one are handled. Resolves when the broker has stored that. Throws `FaultError`. */
  ack(seq: number): Promise<void> {
    return this.#acks.ack(seq);
  }

  /** The same, without an answer: it is stored soon. */
  handled(seq: number): void {
    this.#acks.note(seq);
  }

  /** Gives nothing more, and waits until what was acknowledged is stored, for some seconds at most. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort();
    this.#wake();
    await this.#acks.close();
  }

  /** The next event where one is here. */
  #ready(): DeliveredEvent | undefined {
    if (this.#pages.length === 0 || this.#isOver) return undefined;
    this.#acknowledgeGiven();
    const event = this.#take();
    this.#fetchAhead();
    if (event !== undefined) this.#given = event.seq;
    return event;
  }

  /** Who asks for the next event has handled the one before. */
  #acknowledgeGiven(): void {
    if (this.options.ack === 'next' && this.#given > 0) this.#acks.note(this.#given);
  }

  async #next(): Promise<DeliveredEvent | undefined> {
    this.#acknowledgeGiven();
    for (;;) {
      if (this.#failure !== undefined) throw new FaultError(this.#failure);
      if (this.#closing.signal.aborted) return undefined;
      const event = this.#ready();
      if (event !== undefined) return event;
      this.#fetchAhead();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #take(): DeliveredEvent | undefined {
    const [page] = this.#pages;
    if (page === undefined) return undefined;
    const event = page[this.#at];
    this.#at += 1;
    if (this.#at >= page.length) {
      this.#pages.shift();
      this.#at = 0;
    }
    return event;
  }

  #fetchAhead(): void {
    if (this.#fetching !== undefined || this.#pages.length >= PAGES || this.#isOver) return;
    this.#fetching = this.#fetch()
      .catch((error: unknown) => this.#fail(toFault(error)))
      .finally(() => {
        this.#fetching = undefined;
        this.#fetchAhead();
        this.#wake();
      });
  }

  async #fetch(): Promise<void> {
    const { name } = this.options;
    const { position } = await this.opened;
    this.#after = Math.max(this.#after, position);
    const asked = { after: this.#after, session: this.#session, expiresMs: EXPIRES_MS };
    const { events, upTo } = await this.#persist(() => this.route.next(name, asked), this.#closing.signal);
    this.#after = Math.max(this.#after, upTo);
    if (events.length > 0) this.#pages.push(events);
    else this.#passed(upTo);
  }

  /** There was no event up to here. */
  #passed(upTo: number): void {
    const { wanted } = this.#acks;
    if (this.#pages.length === 0 && wanted >= this.#given && upTo - wanted >= MANY_RECORDS)
      this.#acks.note(upTo);
  }

  get #isOver(): boolean {
    return this.#closing.signal.aborted || this.#failure !== undefined;
  }

  /** What it still has belongs to the program that took over, or to the next life of this one. */
  #fail(problem: Fault): void {
    if (this.#closing.signal.aborted) return;
    this.#failure ??= problem;
    this.#pages = [];
    this.#wake();
  }

  /** Asks until there is an answer that stays. Throws `FaultError`. */
  async #persist<T>(ask: () => Promise<Either<Fault, T>>, signal: AbortSignal): Promise<T> {
    const pauses = new Backoff(FIRST_PAUSE_MS, MAX_PAUSE_MS);
    for (;;) {
      if (signal.aborted) throw CLOSED;
      const said = await ask();
      if (!isLeft(said)) return said.right;
      if (signal.aborted) throw CLOSED;
      if (!ERRORS[said.left.code].retryable) throw new FaultError(said.left);
      const over = await this.route.over();
      if (over !== undefined) throw new FaultError(over);
      await pause(pauses.take(), { signal });
    }
  }
}
