import { setTimeout as pause } from 'node:timers/promises';
import { errors, type NatsConnection } from 'nats';
import { API_PREFIX } from '../../schemas/control.js';

const PREFIXES = ['$JS.API.', `${API_PREFIX}.`];
const FIRST_PAUSE_MS = 2;
/** A server that has no JetStream says so after this. */
const MAX_MS = 1_000;

const isOfJetStream = (subject: string): boolean => PREFIXES.some((prefix) => subject.startsWith(prefix));

/**
 * While the server takes new accounts in, nobody serves its JetStream API for some milliseconds, and it says so to a request.
 * Such a request did nothing, so it is sent again. Source: nats-server 2.15, `configureAccounts` drops the imports of all
 * accounts, and `enableJetStreamAccounts` makes those of JetStream again when all clients have been looked at.
 */
export const bridgeReloads = (nc: NatsConnection): void => {
  const request = nc.request.bind(nc);
  nc.request = async (subject, payload, options) => {
    if (!isOfJetStream(subject)) return request(subject, payload, options);
    const until = performance.now() + MAX_MS;
    for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs *= 2) {
      try {
        return await request(subject, payload, options);
      } catch (thrown) {
        const nobody = thrown instanceof errors.RequestError && thrown.isNoResponders();
        if (!nobody || performance.now() + pauseMs > until) throw thrown;
        await pause(pauseMs);
      }
    }
  };
};
