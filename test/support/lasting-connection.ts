import { connect, type NatsConnection } from 'nats';
import { readLog } from '../../journal/read/reader.js';
import type { StoredMessage } from '../../schemas/record.js';
import type { TestBroker } from './broker.js';
import { connectOperator } from './log-checks.js';
import type { RestartedBroker } from './restarted-broker.js';
import { waitFor } from './wait-for.js';

/** Runs `work` with a connection, until one lasts that long. */
export const withConnection = async <T>(
  broker: RestartedBroker,
  open: (broker: TestBroker) => Promise<NatsConnection>,
  work: (nc: NatsConnection) => Promise<T>,
): Promise<T> => {
  let last: unknown;
  const found = await waitFor(
    'a broker that lasts',
    async () => {
      try {
        const nc = await open(await broker.now);
        try {
          return { value: await work(nc) };
        } finally {
          await nc.close();
        }
      } catch (error) {
        last = error;
        return undefined;
      }
    },
    60_000,
  ).catch((error: unknown) => {
    throw new Error(`${(error as Error).message}: ${String(last)}`);
  });
  return found.value;
};

/** The server may die in the middle of the handshake, which only the time limit notices. */
export const asGuest = (broker: TestBroker): Promise<NatsConnection> =>
  connect({ servers: broker.url, reconnect: false, timeout: 2_000 });
export const asOperator = (broker: TestBroker): Promise<NatsConnection> => connectOperator(broker.dataDir);

/** All records of the log. */
export const recordsOf = (broker: RestartedBroker): Promise<readonly StoredMessage[]> =>
  withConnection(broker, asOperator, async (nc) => {
    const records: StoredMessage[] = [];
    for await (const message of readLog(nc)) records.push(message);
    return records;
  });
