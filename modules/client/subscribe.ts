import { type Either, left } from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import type { Static } from 'typebox';
import { isClientError } from '../../link/client-error.js';
import { requestSubscription } from '../../link/request-subscription.js';
import { PROGRAM_WORDS } from '../../link/target-words.js';
import type { DeliveredEvent } from '../../schemas/delivered-event.js';
import { type Fault, fault, toFault } from '../../schemas/errors.js';
import { isName, parseName } from '../../schemas/names.js';
import { refusal } from '../../schemas/result.js';
import type { OpenSubscription } from '../../schemas/subscription.js';
import type { CalledModule, ManifestIn } from '../sdk/addressed.js';
import type { TypedManifest } from '../sdk/define-manifest.js';
import { Refused } from '../sdk/refused.js';
import { EventFeed, type SubscriptionRoute } from './event-feed.js';

/** The names of the events of a module. */
export type EventName<M extends TypedManifest> = keyof M['events'] & string;

/** An event as a subscription gives it. `data` are those that were stored, also by an older version of the module. */
export type SubscribedEvent<C extends CalledModule, E extends EventName<ManifestIn<C>>> = {
  readonly [N in E]: {
    readonly name: N;
    /** null: the event is of no agent. */
    readonly agent: string | null;
    /** Its sequence in the log. */
    readonly seq: number;
    /** When it was stored, RFC 3339. */
    readonly time: string;
    readonly data: Static<ManifestIn<C>['events'][N]['data']>;
    /** The bytes of data that do not fit into a message of the server: then there are no `data`. */
    readonly tooLarge?: number;
    /**
     * Acknowledges this event and all before it. Resolves when the broker has stored that. Throws `Refused`:
     * SUBSCRIPTION_TAKEN and others.
     */
    readonly ack: () => Promise<void>;
  };
}[E];

export interface SubscribeOptions {
  /** The name of the subscription: the broker keeps its position under it. Each account has separate names. */
  readonly durable: string;
  /** The first event: `now` (default), `start`, or a sequence of the log. It counts when the subscription is made. */
  readonly from?: 'now' | 'start' | number;
  /** Only events of this agent. */
  readonly agent?: string;
  /**
   * `next` (default): an event is acknowledged when you ask for the next one. `explicit`: you call `ack` of an event.
   */
  readonly ack?: 'next' | 'explicit';
}

/**
 * The events of modules, each at least once, in the order of the log. Iterate over it; it ends when you close it, or
 * throws `Refused`: SUBSCRIPTION_TAKEN, SUBSCRIPTION_DIFFERS, SUBSCRIPTION_LOST, SUBSCRIPTIONS_FULL, NOT_ALLOWED.
 */
export interface EventSubscription<Event> extends AsyncIterableIterator<Event>, AsyncDisposable {
  /** Resolves when the broker has the subscription: it misses no event that is stored from then on. */
  readonly opened: Promise<void>;
  /** Ends the iteration, and waits until what was acknowledged is stored. `break` in the loop does the same. */
  readonly close: () => Promise<void>;
}

const refuse = (thrown: unknown): never => {
  throw new Refused(refusal(toFault(thrown)));
};

const problemOf = (
  { manifest }: CalledModule,
  events: readonly string[],
  { durable, agent }: SubscribeOptions,
): Either<Fault, unknown> => {
  const unknown = events.find((event) => !Object.hasOwn(manifest.events, event));
  if (unknown !== undefined || events.length === 0)
    return left(fault('USAGE', `${manifest.name} declares no event ${JSON.stringify(unknown ?? '')}`));
  if (agent !== undefined && !isName(agent)) return parseName('agent', agent);
  return parseName('durable', String(durable));
};

/** A subscription that cannot be opened. */
const refusing = (problem: Fault): SubscriptionRoute => {
  const refuse = (): Promise<Either<Fault, never>> => Promise.resolve(left(problem));
  return { open: refuse, next: refuse, ack: refuse, over: async () => problem };
};

/** Subscribes by a route. It begins at once. `feeds` has those that are not closed. */
export const subscribeBy = <C extends CalledModule, E extends EventName<ManifestIn<C>>>(
  route: SubscriptionRoute,
  feeds: Set<EventFeed>,
  module: C,
  events: E | readonly E[],
  options: SubscribeOptions,
): EventSubscription<SubscribedEvent<C, E>> => {
  const names: readonly string[] = typeof events === 'string' ? [events] : events;
  const problem = problemOf(module, names, options);
  const { durable: name, from, agent, ack = 'next' } = options;
  const open: OpenSubscription = {
    events: names.map((event) => `${module.manifest.name}.${event}`),
    ...(from === undefined ? {} : { from }),
    ...(agent === undefined ? {} : { agent }),
  };
  const feed = new EventFeed('left' in problem ? refusing(problem.left) : route, { name, open, ack });
  feeds.add(feed);
  const close = async (): Promise<void> => {
    await feed.close();
    feeds.delete(feed);
  };
  const given = ({ event, ...rest }: DeliveredEvent): unknown => ({
    name: event.slice(event.indexOf('.') + 1),
    ...rest,
    ack: () => feed.ack(rest.seq).catch(refuse),
  });
  const opened = feed.opened.then(() => undefined, refuse);
  opened.catch(() => undefined);
  const done = { done: true, value: undefined } as const;
  const step = (event: DeliveredEvent | undefined): IteratorResult<SubscribedEvent<C, E>> =>
    event === undefined ? done : { done: false, value: given(event) as SubscribedEvent<C, E> };
  const subscription: EventSubscription<SubscribedEvent<C, E>> = {
    opened,
    next: () => feed.next().then(step, refuse),
    return: async () => {
      await close();
      return done;
    },
    close,
    [Symbol.asyncIterator]: () => subscription,
    [Symbol.asyncDispose]: close,
  };
  return subscription;
};

/** How long the broker may take besides the wait for an event. */
const REPLY_MS = 5_000;

/** Why a connection was closed that dials again for ever. */
const whyClosed = async (nc: NatsConnection): Promise<Fault | undefined> => {
  if (!nc.isClosed()) return undefined;
  const why = await nc.closed();
  return isClientError(why, 'AuthorizationError', 'UserAuthenticationExpiredError')
    ? fault('SERVER_REFUSED', `the server closed the connection: ${(why as Error).message}`)
    : fault('LOG_UNAVAILABLE', 'the connection is closed; open another connection');
};

/** Subscriptions over a connection. */
export const subscriptionRoute = (nc: NatsConnection, words = PROGRAM_WORDS): SubscriptionRoute => ({
  open: (name, body) => requestSubscription<never>(nc, { verb: 'open', name, body }, words)(),
  next: (name, body) => {
    const timeoutMs = (body.expiresMs ?? 0) + REPLY_MS;
    return requestSubscription<never>(nc, { verb: 'next', name, body, timeoutMs }, words)();
  },
  ack: (name, body) => requestSubscription<never>(nc, { verb: 'ack', name, body }, words)(),
  over: () => whyClosed(nc),
});
