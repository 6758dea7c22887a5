import type { NatsConnection } from 'nats';
import { API_PREFIX } from '../schemas/control.js';
import { untilServed } from './until-served.js';

const PREFIXES = ['$JS.API.', `${API_PREFIX}.`];

const isOfJetStream = (subject: string): boolean => PREFIXES.some((prefix) => subject.startsWith(prefix));

/**
 * While the server reloads its accounts, its JetStream API has no responder for some milliseconds, and a request gets
 * that as its reply. Such a request is sent again. After a second it is clear that a server has no JetStream. Source:
 * nats-server 2.15, `configureAccounts` drops the imports of all accounts, and `enableJetStreamAccounts` makes those
 * of JetStream again after it has checked all clients.
 */
export const bridgeReloads = (nc: NatsConnection): void => {
  const request = nc.request.bind(nc);
  nc.request = (subject, payload, options) =>
    isOfJetStream(subject)
      ? untilServed(() => request(subject, payload, options))
      : request(subject, payload, options);
};
