import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { dial } from '../../link/dial.js';
import { createInbox, headers, type NatsConnection } from 'nats';
import { authenticatorOf } from '../../link/nkey.js';

/** Connects to a server elsewhere as the broker of a data directory does. */
export const connectCore = (url: string, dataDir: string): Promise<NatsConnection> =>
  dial({
    redialMs: 50,
    servers: url,
    authenticator: authenticatorOf(readFileSync(join(dataDir, 'keys', 'core.nk'), 'utf8').trim()),
  });

/** The server takes no more in one batch. */
const GROUP = 1_000;
/** Batches on their way at a time. */
const AT_ONCE = 8;

/** Stores records without headers of their own in the log, many together: subjects by their number, from 0 on. */
export const fillLog = async (
  nc: NatsConnection,
  count: number,
  subjectOf: (i: number) => string,
  data = '{}',
): Promise<void> => {
  const batch = async (from: number): Promise<void> => {
    const to = Math.min(from + GROUP, count);
    const id = createInbox().slice(-22);
    for (let i = from; i < to; i++) {
      const place = headers();
      place.set('Nats-Batch-Id', id);
      place.set('Nats-Batch-Sequence', String(i - from + 1));
      if (i < to - 1) nc.publish(subjectOf(i), data, { headers: place });
      else {
        place.set('Nats-Batch-Commit', '1');
        const ack = (await nc.request(subjectOf(i), data, { headers: place, timeout: 30_000 })).json<{
          error?: { description: string };
        }>();
        if (ack.error !== undefined) throw new Error(ack.error.description);
      }
    }
  };
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const from = next;
      next += GROUP;
      await batch(from);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
};
