import { headers, type NatsConnection } from 'nats';

/** A record that the log refuses when its turn comes, so it is never stored. */
const SUBJECT = 'epoch.~probe';
const EXPECTED = 'Nats-Expected-Stream';
const NO_STREAM = 'none';
/** The server takes no more records into its queue for the log. */
const QUEUE_FULL = 429;

/**
 * Whether what is sent to the log now has its turn within this time: the server takes all records, of all who send, in
 * one queue.
 */
export const logTakesWithin = async (nc: NatsConnection, ms: number): Promise<boolean> => {
  const expected = headers();
  expected.set(EXPECTED, NO_STREAM);
  try {
    const reply = await nc.request(SUBJECT, '', { headers: expected, timeout: ms });
    return reply.json<{ readonly error?: { readonly code?: number } }>().error?.code !== QUEUE_FULL;
  } catch {
    return false;
  }
};
