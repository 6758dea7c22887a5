import type { JetStreamManager } from '@nats-io/jetstream';
import { addStream } from './add-stream.js';
import { findStream } from './find-stream.js';

/**
 * The positions of subscriptions: one message each, the last one of its subject. In the store of the server, a position
 * survives what the log survives, and no more. See docs/decisions/0099.
 */
export const SUBS = 'SUBS';

/** `*` for all subscriptions of an account, or of all accounts. */
export const positionSubject = (account: string, name: string): string => `position.${account}.${name}`;

/** Makes the stream for the first subscription. */
export const ensurePositions = async (jsm: JetStreamManager): Promise<void> => {
  if (await hasPositions(jsm)) return;
  await addStream(jsm, {
    name: SUBS,
    description: 'Tallystick: positions of subscriptions',
    subjects: [positionSubject('*', '*')],
    retention: 'limits',
    storage: 'file',
    discard: 'old',
    max_age: 0,
    max_msgs: -1,
    max_bytes: -1,
    max_msgs_per_subject: 1,
    allow_direct: true,
  });
};

/** Whether the stream is there. */
export const hasPositions = async (jsm: JetStreamManager): Promise<boolean> =>
  (await findStream(jsm, SUBS)) !== undefined;
