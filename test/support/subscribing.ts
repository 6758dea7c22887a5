import type { NatsConnection } from 'nats';
import type { Fault } from '../../schemas/errors.js';
import {
  type EventPage,
  type ListedSubscription,
  type OpenSubscription,
  SUBSCRIPTION_LIST,
  type Subscription,
  type SubscriptionVerb,
  subscriptionSubject,
} from '../../schemas/subscription.js';

/** A reply, or the fault in its place. */
export type Said<T> = T & { readonly error?: Fault };

/** The requests of subscriptions as a stock client sends them. */
export const subscriber = (nc: NatsConnection) => {
  const ask = async <T>(subject: string, body: unknown): Promise<Said<T>> => {
    const payload = typeof body === 'string' ? body : JSON.stringify(body);
    return (await nc.request(subject, payload, { timeout: 40_000 })).json<Said<T>>();
  };
  const to = <T>(verb: SubscriptionVerb, name: string, body: unknown = ''): Promise<Said<T>> =>
    ask<T>(subscriptionSubject(verb, name), body);
  return {
    open: (name: string, body: OpenSubscription | object) => to<Subscription>('open', name, body),
    next: (name: string, body: object | string = '') => to<EventPage>('next', name, body),
    ack: (name: string, seq: number, rest: object = {}) =>
      to<{ readonly position: number }>('ack', name, { seq, ...rest }),
    remove: (name: string, body: object | string = '') => to<object>('delete', name, body),
    list: async (): Promise<readonly ListedSubscription[]> =>
      (await ask<{ readonly subscriptions: readonly ListedSubscription[] }>(SUBSCRIPTION_LIST, ''))
        .subscriptions,
  };
};
