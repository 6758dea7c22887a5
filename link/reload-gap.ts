import type { NatsConnection } from 'nats';
import { API_PREFIX } from '../schemas/control.js';
import { untilServed } from './until-served.js';

const PREFIXES = ['$JS.API.', `${API_PREFIX}.`];

const isOfJetStream = (subject: string): boolean => PREFIXES.some((prefix) => subject.startsWith(prefix));

/**
 * While the server takes new accounts in, nobody serves its JetStream API for some milliseconds, and it says so to a request.
 * Such a request is sent again; a server that has no JetStream is known after a second. Source: nats-server 2.15,
 * `configureAccounts` drops the imports of all accounts, and `enableJetStreamAccounts` makes those of JetStream again when all
 * clients have been looked at.
 */
export const bridgeReloads = (nc: NatsConnection): void => {
  const request = nc.request.bind(nc);
  nc.request = (subject, payload, options) =>
    isOfJetStream(subject)
      ? untilServed(() => request(subject, payload, options))
      : request(subject, payload, options);
};
