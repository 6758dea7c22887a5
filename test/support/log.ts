import { jetstreamManager } from '@nats-io/jetstream';
import { isLeft } from 'fp-ts/lib/Either.js';
import type { ConnectionOptions, NatsConnection } from 'nats';
import { dial as dialAsWeDo } from '../../link/dial.js';
import { readLog } from '../../journal/read/reader.js';
import { ensureLog } from '../../broker/streams/log-stream.js';
import { HEADER } from '../../schemas/headers.js';
import { type Identity, parseIdentity } from '../../schemas/identity.js';
import type { StoredMessage } from '../../schemas/record.js';
import { success } from './either.js';
import type { TestServer } from './server.js';
import { waitFor } from './wait-for.js';

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

/** Right after a stream was deleted, nats-server 2.15.1 may still be removing its files. */
const STILL_REMOVING = /error creating store for stream/;

/** The stream LOG as the broker makes it, also in the place of one that was deleted just now. */
export const createLog = async (nc: NatsConnection, maxBytes = 1_000_000_000): Promise<void> => {
  const jsm = await jetstreamManager(nc);
  const made = await waitFor('the files of the stream before to be removed', async () => {
    const tried = await ensureLog(jsm, { maxBytes, defaultMaxBytes: maxBytes })();
    return isLeft(tried) && STILL_REMOVING.test(tried.left.message) ? undefined : tried;
  });
  success(made);
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
