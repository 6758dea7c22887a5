import type { NatsConnection } from 'nats';
import { BrokerReader } from '../../broker/reader/broker-reader.js';
import type { Fault } from '../../schemas/errors.js';

/** The broker's reader of a log behind `lastSeq`. It ends with the connection. */
export const startReader = (
  nc: NatsConnection,
  lastSeq: number,
  onLost: (fault: Fault) => void = () => undefined,
): BrokerReader => {
  const reader = new BrokerReader({
    nc,
    lastSeq,
    say: () => undefined,
    onLost: (fault) => {
      if (!nc.isClosed()) onLost(fault);
    },
  });
  reader.start();
  return reader;
};
