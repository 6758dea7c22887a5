import type { NatsConnection } from 'nats';
import type { People } from '../../broker/intake/intake.js';

/** Reads what people send over a connection of the test, all in one line: for parts of a broker without its link to the server. */
export const peopleOver = (nc: NatsConnection): People => ({
  subscribe: (subject, callback) =>
    nc.subscribe(subject, {
      callback: (_, msg) =>
        callback({ msg, connection: 'guest/1', isLeftOut: false, release: () => undefined }),
    }),
});
