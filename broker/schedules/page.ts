import type { JetStreamManager, StoredMsg } from '@nats-io/jetstream';
import type { NatsConnection } from 'nats';
import { linkState } from '../journal/link-state.js';
import { SCHED } from './stream.js';

const PAGE = 256;
const PAGE_BYTES = 4 * 1024 * 1024;
const TIMEOUT_MS = 10_000;

/**
 * Messages of some subjects from a sequence on, as many as one answer holds; none: there are no more. Throws when the
 * answer did not come whole: the client itself waits for the rest for ever.
 */
export const readPage = async (
  nc: NatsConnection,
  jsm: JetStreamManager,
  subjects: string,
  fromSeq: number,
): Promise<readonly StoredMsg[]> => {
  const batch = await jsm.direct.getBatch(SCHED, {
    seq: fromSeq,
    batch: PAGE,
    max_bytes: PAGE_BYTES,
    next_by_subj: subjects,
  });
  const stop = (): void => batch.stop(new Error(`the stream ${SCHED} did not answer`));
  const timer = setTimeout(stop, TIMEOUT_MS);
  const forget = linkState(nc).onChange(stop);
  try {
    const page: StoredMsg[] = [];
    for await (const message of batch) page.push(message);
    return page;
  } finally {
    clearTimeout(timer);
    forget();
  }
};
