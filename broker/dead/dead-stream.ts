import type { JetStreamManager, StreamConfig } from '@nats-io/jetstream';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { DEAD } from '../../schemas/dead.js';
import { type Fault, toFault } from '../../schemas/errors.js';
import { LOG, MAX_RECORD_BYTES } from '../../schemas/log.js';
import { addStream } from '../log/add-stream.js';
import { differences } from '../log/stream.js';

/** Of the limit of the log; a dead letter has its command's payload once more. */
const SHARE = 0.1;
/** A few records of the largest size. */
const MIN_BYTES = 16 * MAX_RECORD_BYTES;

const STREAM_NOT_FOUND = 10059;

const deadConfig = (maxBytes: number): Partial<StreamConfig> & { name: string } =>
  ({
    name: DEAD,
    description: 'Tallystick: commands that could not be handled',
    subjects: ['dead.*.*.*', 'dead.*.*.*.*'],
    retention: 'limits',
    storage: 'file',
    max_bytes: maxBytes,
    max_age: 0,
    max_msgs: -1,
    max_msgs_per_subject: -1,
    max_msg_size: MAX_RECORD_BYTES,
    // As the log does: what is there stays, and what does not fit is told of.
    discard: 'new',
    no_ack: false,
    persist_mode: 'default',
    allow_direct: true,
    deny_delete: true,
    deny_purge: true,
  }) as Partial<StreamConfig> & { name: string };

/** Makes the stream of dead letters or brings it up to date; its limit follows that of the log. */
export const ensureDeadStream = (jsm: JetStreamManager): TE.TaskEither<Fault, void> =>
  TE.tryCatch(
    async () => {
      const log = await jsm.streams.info(LOG);
      const wanted = deadConfig(Math.max(MIN_BYTES, Math.floor(log.config.max_bytes * SHARE)));
      const existing = await jsm.streams.info(DEAD).catch((error: unknown) => {
        if ((error as { code?: number }).code === STREAM_NOT_FOUND) return undefined;
        throw error;
      });
      if (existing === undefined) await addStream(jsm, wanted);
      else if (differences(existing.config, wanted).length > 0) {
        await jsm.streams.update(DEAD, { ...existing.config, ...wanted });
      }
    },
    (error) => toFault(error, 'LOG_MISMATCH'),
  );
