import Type, { type Static } from 'typebox';
import { DeliveredEventSchema } from './delivered-event.js';
import { HEARD_PATTERN } from './heard-events.js';
import { NAME_PATTERN } from './names.js';
import type { Marks } from './sensitive.js';

/**
 * Subscriptions of programs: a position in the events of modules that the broker keeps under the name that the program
 * gave it. See docs/decisions/0099.
 */
export const SUBSCRIPTION_VERBS = ['open', 'next', 'ack', 'delete'] as const;
/** What a client asks of one subscription. */
export type SubscriptionVerb = (typeof SUBSCRIPTION_VERBS)[number];

/** The subject of a request of a client: `subscription.next.mailer`. */
export const subscriptionSubject = (verb: SubscriptionVerb, name: string): string =>
  `subscription.${verb}.${name}`;
/** The subject of a request for all subscriptions that a client may see. */
export const SUBSCRIPTION_LIST = 'subscription.list';

/** The most subscriptions of one account. */
export const MAX_SUBSCRIPTIONS = 100;
/** The most events of a page. */
export const MAX_PAGE_EVENTS = 1_024;
/** The longest time for which a request waits for an event, milliseconds. */
export const MAX_EXPIRES_MS = 30_000;
/** The most entries of `events`. */
const MAX_ENTRIES = 100;

const Session = Type.Optional(
  Type.String({
    maxLength: 64,
    pattern: '^[A-Za-z0-9_-]*$',
    description:
      'What the program that uses the subscription now calls itself, a random text. Absent is `""`. A request of ' +
      'another session than that of the last `open` gets SUBSCRIPTION_TAKEN.',
  }),
);
const Position = Type.Integer({
  minimum: 0,
  description: 'All events up to this sequence of the log are acknowledged.',
});
const Entries = Type.Array(Type.String({ pattern: HEARD_PATTERN }), {
  minItems: 1,
  maxItems: MAX_ENTRIES,
  uniqueItems: true,
  description: '`accounts.deposited`, or `accounts.>` for all events of a module.',
});

export const OpenSubscriptionSchema = Type.Object(
  {
    events: Entries,
    agent: Type.Optional(
      Type.String({ pattern: NAME_PATTERN, description: 'Only events of this agent; absent: all events.' }),
    ),
    from: Type.Optional(
      Type.Union([Type.Enum(['now', 'start']), Type.Integer({ minimum: 1 })], {
        description:
          'The first event: `now` (default), `start`, or a sequence of the log. It counts when the subscription is made.',
      }),
    ),
    session: Session,
  },
  { additionalProperties: false, description: 'Request on `subscription.open.<name>`.' },
);
export type OpenSubscription = Readonly<Static<typeof OpenSubscriptionSchema>>;

export const NextEventsSchema = Type.Object(
  {
    after: Type.Optional(
      Type.Integer({
        minimum: 0,
        description: 'Events behind this sequence; absent, or below the position: behind the position.',
      }),
    ),
    batch: Type.Optional(
      Type.Integer({ minimum: 1, maximum: MAX_PAGE_EVENTS, description: 'The most events; default 1024.' }),
    ),
    expiresMs: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: MAX_EXPIRES_MS,
        description: 'How long to wait for the first event, milliseconds; default 0.',
      }),
    ),
    session: Session,
  },
  {
    additionalProperties: false,
    description: 'Request on `subscription.next.<name>`; an empty payload is `{}`.',
  },
);
export type NextEvents = Readonly<Static<typeof NextEventsSchema>>;

export const AcknowledgeSchema = Type.Object(
  {
    seq: Type.Integer({ minimum: 0, description: 'All events up to this sequence are handled.' }),
    session: Session,
  },
  { additionalProperties: false, description: 'Request on `subscription.ack.<name>`.' },
);
export type Acknowledge = Readonly<Static<typeof AcknowledgeSchema>>;

export const DeleteSubscriptionSchema = Type.Object(
  {
    account: Type.Optional(
      Type.String({
        pattern: NAME_PATTERN,
        description: 'Whose subscription it is, for an operator of the role keeper; absent: yours.',
      }),
    ),
  },
  {
    additionalProperties: false,
    description: 'Request on `subscription.delete.<name>`; an empty payload is `{}`.',
  },
);
export type DeleteSubscription = Readonly<Static<typeof DeleteSubscriptionSchema>>;

export const SubscriptionSchema = Type.Object({
  account: Type.String({ description: 'Who has it: `guest`, `operator`, or `_NAME` of a principal.' }),
  name: Type.String(),
  events: Type.Immutable(Type.Array(Type.String())),
  agent: Type.Union([Type.String(), Type.Null()], { description: 'null: events of all agents.' }),
  position: Position,
});
/** A subscription, as the broker tells of it. */
export type Subscription = Readonly<Static<typeof SubscriptionSchema>>;

/** The reply to `open`. */
export interface OpenedSubscription extends Subscription {
  /** What to hide of the events from a person, by module. Absent: nothing. */
  readonly sensitive?: Marks;
  /** Those of `events` that no module emits which the broker knows. They may be misspelled. Absent: none. */
  readonly unknown?: readonly string[];
}

export const ListedSubscriptionSchema = Type.Object({
  ...SubscriptionSchema.properties,
  lag: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()], {
    description: 'Events in the log that are not acknowledged; null: unknown, because the position is lost.',
  }),
});
/** The same with its lag. */
export type ListedSubscription = Readonly<Static<typeof ListedSubscriptionSchema>>;

/** The reply to a request for all subscriptions. */
export interface SubscriptionList {
  readonly subscriptions: readonly ListedSubscription[];
}

export const EventPageSchema = Type.Object({
  events: Type.Immutable(Type.Array(DeliveredEventSchema)),
  upTo: Type.Integer({
    minimum: 0,
    description: 'There are no other events up to this sequence: `after` of the next request.',
  }),
  position: Position,
});
/** The reply to a request for events. */
export type EventPage = Readonly<Static<typeof EventPageSchema>>;

/** The reply to an acknowledgement. */
export interface Acknowledged {
  readonly position: number;
}
