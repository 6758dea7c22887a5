import { jetstreamManager } from '@nats-io/jetstream';
import type { ConnectionOptions, NatsConnection } from 'nats';
import { dial as dialAsWeDo } from '../../link/dial.js';
import { readLog } from '../../journal/read/reader.js';
import { ensureLog } from '../../broker/streams/log-stream.js';
import { HEADER } from '../../schemas/headers.js';
import { type Identity, parseIdentity } from '../../schemas/identity.js';
import type { StoredMessage } from '../../schemas/record.js';
import { success } from './either.js';
import type { TestServer } from './server.js';

/** Connects to a server of the tests and keeps dialling when it is killed. */
export const dial = (
  server: Pick<TestServer, 'url'>,
  options: ConnectionOptions = {},
): Promise<NatsConnection> =>
  dialAsWeDo({
    servers: server.url,
    redialMs: 20,
    // A cut in the middle of a handshake is noticed by this only.
    timeout: 1_000,
    ...options,
  });

/** The stream LOG as the broker makes it. */
export const createLog = async (nc: NatsConnection, maxBytes = 1_000_000_000): Promise<void> => {
  success(await ensureLog(await jetstreamManager(nc), { maxBytes, defaultMaxBytes: maxBytes })());
};

export const readAll = async (nc: NatsConnection, filters?: readonly string[]): Promise<StoredMessage[]> => {
  const all: StoredMessage[] = [];
  for await (const message of readLog(nc, filters === undefined ? {} : { filters })) all.push(message);
  return all;
};

/** `Tally-Id` of a record that has one. */
export const identityOf = (message: StoredMessage): Identity => {
  const identity = parseIdentity(message.header(HEADER.id) ?? '');
  if (identity === undefined) throw new Error(`${message.seq} ${message.subject} has no identity`);
  return identity;
};
