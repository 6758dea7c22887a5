import * as E from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type Fault, FaultError, fault, toFault } from '../../schemas/errors.js';
import {
  type Acknowledge,
  type Acknowledged,
  type ListedSubscription,
  MAX_PAGE_EVENTS,
  MAX_SUBSCRIPTIONS,
  type NextEvents,
  type OpenSubscription,
  type Subscription,
} from '../../schemas/subscription.js';
import { SerialQueue } from '../../system/async/serial-queue.js';
import type { BrokerReader } from '../reader/broker-reader.js';
import { countEvents } from '../hearing/count-events.js';
import { type EncodedPage, type EventFilter, EventPages, type EventPagesOptions } from './event-pages.js';
import { SeenPositions, textOfKey } from './seen-positions.js';
import {
  subscriptionDiffers,
  subscriptionTaken,
  subscriptionsFull,
  unknownSubscription,
} from './subscription-faults.js';
import {
  type KeptSubscription,
  type KeptPosition,
  KeptPositions,
  notStored,
  type SubscriptionKey,
} from '../streams/kept-positions.js';

export interface SubscriptionsOptions extends EventPagesOptions {
  readonly reader: Pick<BrokerReader, 'on' | 'position'>;
  /** Identity of the log. */
  readonly logId: string;
}

/** Why an account may not listen to these events; undefined: it may. */
export type MayListen = (filter: EventFilter) => Fault | undefined;

/** A page with the position. */
export interface SentPage extends EncodedPage {
  readonly position: number;
}

/** What is in memory of a subscription that is used. */
interface Used {
  /** Requests that change it run one after the other. */
  readonly changes: SerialQueue;
  known: KeptPosition | undefined;
  /** The highest sequence that a program has acknowledged, stored or not. */
  wanted: number;
  pages: EventPages | undefined;
  waiting: number;
  lastMs: number;
}

type ListSource = Pick<SeenPositions, 'keys' | 'read' | 'lag'>;

/** A subscription that no program uses is forgotten after this time: its position is stored. */
const IDLE_MS = 30_000;
/** Subscriptions that are looked up together for a list. */
const AT_ONCE = 16;
/** Another broker may have written in between. It does so once. */
const TRIES = 2;

const describe = (
  { account, name }: SubscriptionKey,
  { events, agent, position }: KeptSubscription,
): Subscription => ({
  account,
  name,
  events,
  agent,
  position,
});

/**
 * Subscriptions of programs: each has a position in the log, which only an acknowledgement moves. So every event is
 * given at least once. What a page gives depends on the position, and on nothing that a broker knows in memory alone.
 */
export class Subscriptions {
  readonly #used = new Map<string, Used>();
  readonly #positions: KeptPositions;
  readonly #seen: SeenPositions;
  readonly #opening = new SerialQueue();
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: SubscriptionsOptions) {
    this.#positions = new KeptPositions(options.nc, options.jsm);
    this.#seen = new SeenPositions(this.#positions);
  }

  close(): void {
    clearInterval(this.#timer);
    for (const { pages } of this.#used.values()) pages?.close();
    this.#used.clear();
  }

  /** Makes a subscription where there is none, and gives it to a session. */
  open(key: SubscriptionKey, asked: OpenSubscription, may: MayListen): TaskEither<Fault, Subscription> {
    const filter = { events: [...asked.events].sort(), agent: asked.agent ?? null };
    return this.#change(
      key,
      async (used) => {
        const refused = may(filter);
        if (refused !== undefined) return E.left(refused);
        const { session = '' } = asked;
        const { known } = used;
        if (known === undefined) {
          const first = this.#first(asked.from);
          if (E.isLeft(first)) return first;
          const { logId } = this.options;
          // One at a time: two that look at the limit together could both find the last place.
          return this.#opening.run(async () => {
            const { length } = await this.#positions.keys(key.account);
            if (length >= MAX_SUBSCRIPTIONS) return E.left(subscriptionsFull(key.account));
            return this.#write(key, used, { logId, ...filter, position: first.right, session });
          });
        }
        const { kept } = known;
        if (kept.agent !== filter.agent || kept.events.join(' ') !== filter.events.join(' '))
          return E.left(subscriptionDiffers(key.name, kept));
        const lost = this.#lost(key.name, kept);
        if (lost !== undefined) return E.left(lost);
        if (kept.session === session) return E.right(kept);
        // What the program before has acknowledged and is not stored counts no more.
        used.wanted = 0;
        return this.#write(key, used, { ...kept, session });
      },
      (kept) => describe(key, kept),
    );
  }

  /** The next events, behind the position at least. */
  next(key: SubscriptionKey, asked: NextEvents, may: MayListen): TaskEither<Fault, SentPage> {
    return async () => {
      const { after = 0, batch = MAX_PAGE_EVENTS, expiresMs = 0, session = '' } = asked;
      const untilMs = performance.now() + expiresMs;
      const used = this.#use(key);
      used.waiting += 1;
      try {
        const kept = await this.#usable(key, used, session, may);
        if (E.isLeft(kept)) return kept;
        const lost = this.#lost(key.name, { ...kept.right, position: after });
        if (lost !== undefined) return E.left(lost);
        used.pages ??= new EventPages(kept.right, this.options);
        const page = await used.pages.next(Math.max(after, kept.right.position), batch, untilMs);
        // It has waited: another program may have taken over, and the grant may be gone.
        const still = await this.#usable(key, used, session, may);
        if (E.isLeft(still)) return still;
        return E.right({ ...page, position: still.right.position });
      } catch (error) {
        return E.left(toFault(error, 'LOG_UNAVAILABLE'));
      } finally {
        used.waiting -= 1;
        used.lastMs = performance.now();
      }
    };
  }

  /** All events up to a sequence are handled. Resolves when that is stored. */
  ack(
    key: SubscriptionKey,
    { seq, session = '' }: Acknowledge,
    may: MayListen,
  ): TaskEither<Fault, Acknowledged> {
    return this.#change(
      key,
      async (used) => {
        const kept = this.#judged(key, used, session, may);
        if (E.isLeft(kept)) return kept;
        const { position } = this.options.reader;
        if (seq > position) {
          const text = `${seq} cannot be acknowledged: the log ends at ${position}`;
          return E.left(fault('PAYLOAD_INVALID', text, '/seq'));
        }
        // Those that wait behind this one are stored with it.
        const wanted = Math.max(seq, used.wanted <= position ? used.wanted : 0);
        return kept.right.position >= seq
          ? kept
          : this.#write(key, used, { ...kept.right, position: Math.max(kept.right.position, wanted) });
      },
      ({ position }) => ({ position }),
      // Only of the session that has it: what another one says counts for nothing.
      (used) => {
        if (used.known?.kept.session === session) used.wanted = Math.max(used.wanted, seq);
      },
    );
  }

  /** Forgets a subscription and its position. */
  delete(key: SubscriptionKey): TaskEither<Fault, object> {
    return this.#change(
      key,
      async (used) => {
        const { known } = used;
        if (known === undefined) return E.left(unknownSubscription(key.name));
        this.#seen.forget();
        await this.#positions.remove(key).finally(() => this.#seen.forget());
        this.#forget(key, used);
        return E.right(known.kept);
      },
      () => ({ deleted: key.name }),
    );
  }

  /** The subscriptions of an account, or of all, with their lag. */
  list(
    account: string | undefined,
    limit = Number.POSITIVE_INFINITY,
  ): TaskEither<Fault, readonly ListedSubscription[]> {
    return this.#list(limit, {
      keys: () => this.#positions.keys(account),
      read: (key) => this.#positions.read(key),
      lag: (_key, _at, count) => count(),
    });
  }

  /** So many of all, for a scrape of metrics: see {@link SeenPositions}. */
  scraped(limit: number): TaskEither<Fault, readonly ListedSubscription[]> {
    return this.#list(limit, this.#seen);
  }

  #list(limit: number, from: ListSource): TaskEither<Fault, readonly ListedSubscription[]> {
    return async () => {
      try {
        const keys = (await from.keys()).slice(0, limit);
        const found: ListedSubscription[] = [];
        for (let at = 0; at < keys.length; at += AT_ONCE) {
          const part = keys.slice(at, at + AT_ONCE);
          for (const one of await Promise.all(part.map((key) => this.#listed(key, from))))
            if (one !== undefined) found.push(one);
        }
        return E.right(found);
      } catch (error) {
        return E.left(toFault(error, 'LOG_UNAVAILABLE'));
      }
    };
  }

  async #listed(key: SubscriptionKey, from: ListSource): Promise<ListedSubscription | undefined> {
    const kept = (this.#used.get(textOfKey(key))?.known ?? (await from.read(key)))?.kept;
    return kept === undefined ? undefined : { ...describe(key, kept), lag: await this.#lag(key, kept, from) };
  }

  async #lag(key: SubscriptionKey, kept: KeptSubscription, from: ListSource): Promise<number | null> {
    const { events, agent, position } = kept;
    const logEnd = this.options.reader.position;
    if (this.#lost(key.name, kept) !== undefined) return null;
    if (position >= logEnd) return 0;
    return from.lag(key, { position, logEnd }, async () => {
      const pages = this.#used.get(textOfKey(key))?.pages;
      return pages === undefined
        ? countEvents(this.options.jsm, events, position, agent ?? undefined)
        : pages.waiting(position);
    });
  }

  /** The position of a new subscription. */
  #first(from: OpenSubscription['from'] = 'now'): E.Either<Fault, number> {
    const { position } = this.options.reader;
    if (from === 'now') return E.right(position);
    if (from === 'start') return E.right(0);
    return from - 1 <= position
      ? E.right(from - 1)
      : E.left(fault('PAYLOAD_INVALID', `the log ends at ${position}, and has no record ${from}`, '/from'));
  }

  /** Why a position is none of this log. */
  #lost(name: string, { logId, position }: Pick<KeptSubscription, 'logId' | 'position'>): Fault | undefined {
    const end = this.options.reader.position;
    if (logId === this.options.logId && position <= end) return undefined;
    const why =
      logId === this.options.logId
        ? `the log ends at ${end}, and ${name} had come to ${position}`
        : `the log is another one than that of ${name}, or has lost records`;
    return fault('SUBSCRIPTION_LOST', `${why}: delete the subscription, and open it again`);
  }

  #judged(
    key: SubscriptionKey,
    used: Used,
    session: string,
    may: MayListen,
  ): E.Either<Fault, KeptSubscription> {
    const kept = used.known?.kept;
    if (kept === undefined) return E.left(unknownSubscription(key.name));
    const refused = may(kept) ?? this.#lost(key.name, kept);
    if (refused !== undefined) return E.left(refused);
    return kept.session === session ? E.right(kept) : E.left(subscriptionTaken(key.name));
  }

  async #usable(
    key: SubscriptionKey,
    used: Used,
    session: string,
    may: MayListen,
  ): Promise<E.Either<Fault, KeptSubscription>> {
    // A delete forgets it.
    if (used.known === undefined) await used.changes.run(() => this.#load(key, used));
    return this.#judged(key, used, session, may);
  }

  #change<A>(
    key: SubscriptionKey,
    work: (used: Used) => Promise<E.Either<Fault, KeptSubscription>>,
    reply: (kept: KeptSubscription) => A,
    before: (used: Used) => void = () => undefined,
  ): TaskEither<Fault, A> {
    return async () => {
      const used = this.#use(key);
      used.waiting += 1;
      before(used);
      try {
        for (let left = TRIES; ; left -= 1) {
          const done = await used.changes.run(async () => {
            await this.#load(key, used);
            return work(used);
          });
          if (E.isLeft(done) && done.left.code === 'EPOCH_LOST' && left > 1) continue;
          return E.bimap(
            (problem: Fault) => (problem.code === 'EPOCH_LOST' ? notStored(problem) : problem),
            reply,
          )(done);
        }
      } catch (error) {
        if (error instanceof FaultError) return E.left(error.fault);
        return E.left(toFault(error, 'LOG_UNAVAILABLE'));
      } finally {
        used.waiting -= 1;
        used.lastMs = performance.now();
      }
    };
  }

  async #load(key: SubscriptionKey, used: Used): Promise<void> {
    used.known ??= await this.#positions.read(key);
  }

  /** Stores it. After any doubt it is read again. */
  async #write(
    key: SubscriptionKey,
    used: Used,
    kept: KeptSubscription,
  ): Promise<E.Either<Fault, KeptSubscription>> {
    const after = used.known?.revision ?? 0;
    used.known = undefined;
    const forget = (): void => this.#seen.forget(after === 0 ? undefined : key);
    forget();
    const stored = await this.#positions.write(key, kept, after).finally(forget);
    if (E.isLeft(stored))
      return E.left(stored.left.code === 'EPOCH_LOST' ? stored.left : notStored(stored.left));
    used.known = { kept, revision: stored.right };
    return E.right(kept);
  }

  #use(key: SubscriptionKey): Used {
    const text = textOfKey(key);
    const found = this.#used.get(text);
    if (found !== undefined) return found;
    const made: Used = {
      changes: new SerialQueue(),
      known: undefined,
      wanted: 0,
      pages: undefined,
      waiting: 0,
      lastMs: performance.now(),
    };
    this.#used.set(text, made);
    this.#timer ??= setInterval(() => this.#sweep(), IDLE_MS).unref();
    return made;
  }

  #forget(key: SubscriptionKey, used: Used): void {
    used.pages?.close();
    used.pages = undefined;
    used.known = undefined;
    used.wanted = 0;
    if (this.#used.get(textOfKey(key)) === used && used.waiting === 0) this.#used.delete(textOfKey(key));
  }

  #sweep(): void {
    for (const [text, used] of this.#used) {
      if (used.waiting > 0 || used.changes.length > 0 || performance.now() - used.lastMs < IDLE_MS) continue;
      used.pages?.close();
      this.#used.delete(text);
    }
    if (this.#used.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
