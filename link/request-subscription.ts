import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import type { NatsConnection } from 'nats';
import type { Fault } from '../schemas/errors.js';
import {
  SUBSCRIPTION_LIST,
  type SubscriptionList,
  type SubscriptionVerb,
  subscriptionSubject,
} from '../schemas/subscription.js';
import { sendRequest } from './request-broker.js';
import { COMMAND_WORDS } from './target-words.js';

const TIMEOUT_MS = 5_000;

/** What is asked of a subscription. */
export interface SubscriptionRequest {
  readonly verb: SubscriptionVerb;
  readonly name: string;
  readonly body: object;
  /** How long the broker may take besides what it is asked to wait, milliseconds. */
  readonly timeoutMs?: number;
}

/** Asks a broker something of a subscription. */
export const requestSubscription = <T>(
  nc: NatsConnection,
  { verb, name, body, timeoutMs = TIMEOUT_MS }: SubscriptionRequest,
  words = COMMAND_WORDS,
): TaskEither<Fault, T> =>
  sendRequest<T>(nc, {
    subject: subscriptionSubject(verb, name),
    payload: JSON.stringify(body),
    timeoutMs,
    words,
  });

/** Asks a broker for all subscriptions that the account may see. */
export const requestSubscriptions = (nc: NatsConnection): TaskEither<Fault, SubscriptionList> =>
  sendRequest<SubscriptionList>(nc, {
    subject: SUBSCRIPTION_LIST,
    payload: '',
    timeoutMs: TIMEOUT_MS,
    words: COMMAND_WORDS,
  });
