import { type Fault, fault } from '../../schemas/errors.js';
import { MAX_SUBSCRIPTIONS } from '../../schemas/subscription.js';
import type { KeptSubscription } from '../streams/kept-positions.js';

export const unknownSubscription = (name: string): Fault =>
  fault('SUBSCRIPTION_UNKNOWN', `there is no subscription ${name} of yours: open it first`);

export const subscriptionsFull = (account: string): Fault =>
  fault('SUBSCRIPTIONS_FULL', `${account} has ${MAX_SUBSCRIPTIONS} subscriptions, and may have no more`);

export const subscriptionTaken = (name: string): Fault =>
  fault('SUBSCRIPTION_TAKEN', `another program has opened the subscription ${name} since`);

export const subscriptionDiffers = (name: string, { events, agent }: KeptSubscription): Fault =>
  fault(
    'SUBSCRIPTION_DIFFERS',
    `${name} is a subscription of ${events.join(', ').slice(0, 1_024)}${agent === null ? '' : ` of agent ${agent}`}: ` +
      'take another name, or delete it first',
  );
