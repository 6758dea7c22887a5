import { type Either, left, right } from 'fp-ts/lib/Either.js';
import type { SubscriptionRoute } from '../../modules/client/event-feed.js';
import type { DeliveredEvent } from '../../schemas/delivered-event.js';
import { deliveredPayload } from '../../schemas/delivered-event.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { covers, eventIn } from '../../schemas/heard-events.js';
import { MAX_PAYLOAD_BYTES } from '../../schemas/log.js';
import type { StoredMessage } from '../../schemas/record.js';
import { splitSubject } from '../../schemas/subjects.js';
import {
  type Acknowledge,
  type Acknowledged,
  type EventPage,
  MAX_PAGE_EVENTS,
  type NextEvents,
  type OpenSubscription,
  type Subscription,
} from '../../schemas/subscription.js';
import { NextNews } from '../../system/async/next-news.js';

interface MemorySubscription {
  readonly events: readonly string[];
  readonly agent: string | null;
  position: number;
  session: string | undefined;
}

const LOG_ENDS = 'no event comes any more: the log of this process is closed';

/** Subscriptions of a test to the log in its process, with the positions of a broker. It sets no timer. */
export class MemorySubscriptions implements SubscriptionRoute {
  readonly #byName = new Map<string, MemorySubscription>();
  readonly #news = new NextNews<void>();
  #isClosed = false;

  constructor(
    private readonly account: string,
    private readonly records: () => readonly StoredMessage[],
  ) {}

  /** An event is in the log. */
  published(): void {
    this.#news.tell();
  }

  close(): void {
    this.#isClosed = true;
    this.#news.tell();
  }

  readonly over = async (): Promise<Fault | undefined> =>
    this.#isClosed ? fault('LOG_UNAVAILABLE', LOG_ENDS) : undefined;

  readonly open = async (name: string, asked: OpenSubscription): Promise<Either<Fault, Subscription>> => {
    const events = [...asked.events].sort();
    const agent = asked.agent ?? null;
    const end = this.records().length;
    const { from = 'now' } = asked;
    const first = from === 'now' ? end : from === 'start' ? 0 : from - 1;
    if (first > end) return left(fault('PAYLOAD_INVALID', `the log ends at ${end}`, '/from'));
    const known = this.#byName.get(name) ?? { events, agent, position: first, session: undefined };
    if (known.agent !== agent || known.events.join(' ') !== events.join(' '))
      return left(fault('SUBSCRIPTION_DIFFERS', `${name} is a subscription of ${known.events.join(', ')}`));
    known.session = asked.session;
    this.#byName.set(name, known);
    // The program before hears that it is no more.
    this.#news.tell();
    return right({ account: this.account, name, events, agent, position: known.position });
  };

  readonly next = async (
    name: string,
    { after = 0, batch = MAX_PAGE_EVENTS, session }: NextEvents,
  ): Promise<Either<Fault, EventPage>> => {
    for (;;) {
      const found = this.#usable(name, session);
      if ('left' in found) return found;
      const { position } = found.right;
      const upTo = this.records().length;
      const events = this.#behind(Math.max(after, position), found.right).slice(0, batch);
      const last = events.at(-1)?.seq ?? upTo;
      if (events.length > 0) return right({ events, upTo: events.length < batch ? upTo : last, position });
      await this.#news.next();
    }
  };

  readonly ack = async (
    name: string,
    { seq, session }: Acknowledge,
  ): Promise<Either<Fault, Acknowledged>> => {
    const found = this.#usable(name, session);
    if ('left' in found) return found;
    found.right.position = Math.max(found.right.position, seq);
    return right({ position: found.right.position });
  };

  #usable(name: string, session: string | undefined): Either<Fault, MemorySubscription> {
    if (this.#isClosed) return left(fault('LOG_UNAVAILABLE', LOG_ENDS));
    const found = this.#byName.get(name);
    if (found === undefined) return left(fault('SUBSCRIPTION_UNKNOWN', `there is no subscription ${name}`));
    return found.session === session
      ? right(found)
      : left(fault('SUBSCRIPTION_TAKEN', `the subscription ${name} was opened again since`));
  }

  #behind(after: number, { events, agent }: MemorySubscription): readonly DeliveredEvent[] {
    return this.records()
      .slice(after)
      .filter(({ subject }) => {
        const event = eventIn(subject);
        if (event === undefined || !events.some((entry) => covers(entry, event))) return false;
        const parts = splitSubject(subject);
        return agent === null || (parts?.kind === 'evt' && parts.agent === agent);
      })
      .map((record) => {
        const payload = Buffer.from(deliveredPayload(record, MAX_PAYLOAD_BYTES)).toString();
        return JSON.parse(payload) as DeliveredEvent;
      });
  }
}
