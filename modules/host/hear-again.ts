import type { NatsConnection } from 'nats';
import { tellRepliesLost } from '../../link/link-state.js';
import { toldAgainSubject } from '../../schemas/control.js';

/** Has all that waits for a reply of the broker ask again when the broker had lost its connection. */
export const hearAgain = (nc: NatsConnection, module: string): void => {
  nc.subscribe(toldAgainSubject(module), {
    callback: (error) => {
      if (error === null) tellRepliesLost(nc, 'the broker had lost its connection');
    },
  });
};
