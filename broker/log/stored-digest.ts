import { createHash } from 'node:crypto';
import type { NatsConnection } from 'nats';
import { FaultError, fault } from '../../schemas/errors.js';
import { LOG } from '../../schemas/log.js';
import { linkedRequest } from '../../link/linked-request.js';
import { type ApiError, isAnswered } from '../../link/jetstream-error.js';

/** What a record is known by, and whether it can be counted on. */
export interface StoredDigest {
  readonly seq: number;
  readonly digest: string;
  /**
   * The atomic batch that it is part of. Readers see records of a batch before the server has written them all down
   * (`processJetStreamAtomicBatchMsg` flushes behind the last); everything else is written before anybody sees it.
   */
  readonly batch: string | undefined;
}

interface GetReply {
  readonly message?: { readonly subject: string; readonly time: string; hdrs?: string; data?: string };
  readonly error?: ApiError;
}

const TIMEOUT_MS = 5_000;
const BATCH = /^Nats-Batch-Id: *(.*?)\r?$/im;

/** Two records with the same digest are the same record: the time, to the nanosecond, tells equal commands apart. */
const digestOf = ({ subject, time, hdrs = '', data = '' }: NonNullable<GetReply['message']>): string =>
  createHash('sha256').update([subject, time, hdrs, data].join('\n')).digest('hex').slice(0, 32);

/** The digest of the record at a sequence; undefined when none is there. Throws LOG_UNAVAILABLE. */
export const storedDigest = async (nc: NatsConnection, seq: number): Promise<StoredDigest | undefined> => {
  const reply = await linkedRequest(nc, `$JS.API.STREAM.MSG.GET.${LOG}`, JSON.stringify({ seq }), {
    timeout: TIMEOUT_MS,
  });
  const { message, error } = reply.json<GetReply>();
  if (message !== undefined) {
    const batch = BATCH.exec(Buffer.from(message.hdrs ?? '', 'base64').toString('latin1'))?.[1];
    return { seq, digest: digestOf(message), batch };
  }
  if (isAnswered(error, 'noMessageFound')) return undefined;
  throw new FaultError(
    fault('LOG_UNAVAILABLE', `record ${seq}: ${error?.description ?? 'no answer to use'}`),
  );
};
