import type { JetStreamManager, StoredMsg } from '@nats-io/jetstream';
import type { StoredMessage } from '../../schemas/record.js';

const toStored = (message: StoredMsg): StoredMessage => ({
  seq: message.seq,
  time: message.timestamp,
  timeMs: message.time.getTime(),
  subject: message.subject,
  data: message.data,
  header: (name) => message.header.get(name) || undefined,
});

/** One record of a stream: at a sequence, the last of a subject, or the first that matches from a sequence on. */
export const getStored = async (
  jsm: JetStreamManager,
  stream: string,
  query: { seq: number } | { last_by_subj: string } | { seq: number; next_by_subj: string },
): Promise<StoredMessage | undefined> => {
  const message = await jsm.direct.getMessage(stream, query);
  return message === null ? undefined : toStored(message);
};
