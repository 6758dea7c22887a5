import type { JetStreamManager, StreamConfig } from '@nats-io/jetstream';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { DEAD } from '../../schemas/dead.js';
import { type Fault, toFault } from '../../schemas/errors.js';
import { LOG, MAX_RECORD_BYTES } from '../../schemas/log.js';
import { addStream } from './add-stream.js';
import { keptStream } from './kept-stream.js';
import { differences } from './log-stream.js';
import { findStream } from './find-stream.js';

/** Of the limit of the log; a dead letter has its command's payload once more. */
const SHARE = 0.1;
/** A few records of the largest size. */
const MIN_BYTES = 16 * MAX_RECORD_BYTES;

const deadConfig = (maxBytes: number): Partial<StreamConfig> & { name: string } => ({
  name: DEAD,
  description: 'Tallystick: commands that could not be handled',
  subjects: ['dead.*.*.*', 'dead.*.*.*.*'],
  ...keptStream(maxBytes),
});

/** Makes the stream of dead letters or brings it up to date; its limit follows that of the log. */
export const ensureDeadStream = (jsm: JetStreamManager): TE.TaskEither<Fault, void> =>
  TE.tryCatch(
    async () => {
      const log = await jsm.streams.info(LOG);
      const wanted = deadConfig(Math.max(MIN_BYTES, Math.floor(log.config.max_bytes * SHARE)));
      const existing = await findStream(jsm, DEAD);
      if (existing === undefined) await addStream(jsm, wanted);
      else if (differences(existing.config, wanted).length > 0) {
        await jsm.streams.update(DEAD, { ...existing.config, ...wanted });
      }
    },
    (error) => toFault(error, 'LOG_MISMATCH'),
  );
