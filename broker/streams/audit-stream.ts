import type { JetStreamManager, StreamConfig } from '@nats-io/jetstream';
import * as TE from 'fp-ts/lib/TaskEither.js';
import { ALL_AUDIT, AUDIT } from '../../schemas/audit-record.js';
import { type Fault, toFault } from '../../schemas/errors.js';
import { LOG } from '../../schemas/log.js';
import { addStream } from './add-stream.js';
import { findStream } from './find-stream.js';
import { differences } from './log-stream.js';

const MIB = 1024 * 1024;
/** Of the limit of the log. */
const SHARE = 0.02;
const MIN_BYTES = 4 * MIB;
const MAX_BYTES = 64 * MIB;

const DAY_NS = 24 * 3_600 * 1_000_000_000;
/** A year, and some time to notice that it is over. */
const MAX_AGE_NS = 400 * DAY_NS;

/**
 * Records of one principal and kind. So a principal that is refused all the time pushes out its own old refusals,
 * and not the acts of operators.
 */
const MAX_OF_SUBJECT = 5_000;

const auditConfig = (maxBytes: number): Partial<StreamConfig> & { name: string } => ({
  name: AUDIT,
  description: 'Tallystick: what operators did, and what was refused',
  subjects: [ALL_AUDIT],
  retention: 'limits',
  storage: 'file',
  max_bytes: maxBytes,
  max_age: MAX_AGE_NS,
  max_msgs: -1,
  max_msgs_per_subject: MAX_OF_SUBJECT,
  // Unlike the log it forgets, the oldest first: a full audit must not stop an operator.
  discard: 'old',
  no_ack: false,
  allow_direct: true,
  deny_delete: true,
  deny_purge: true,
});

/** Bytes of the stream, by the limit of the log; a log without a limit has none to share. */
export const auditBytes = (logBytes: number): number =>
  logBytes < 1 ? MAX_BYTES : Math.min(MAX_BYTES, Math.max(MIN_BYTES, Math.floor(logBytes * SHARE)));

/** Makes the stream of the audit or brings it up to date; its limit follows that of the log. */
export const ensureAuditStream = (jsm: JetStreamManager): TE.TaskEither<Fault, void> =>
  TE.tryCatch(
    async () => {
      const log = await jsm.streams.info(LOG);
      const wanted = auditConfig(auditBytes(log.config.max_bytes));
      const existing = await findStream(jsm, AUDIT);
      if (existing === undefined) await addStream(jsm, wanted);
      else if (differences(existing.config, wanted).length > 0) {
        await jsm.streams.update(AUDIT, { ...existing.config, ...wanted });
      }
    },
    (error) => toFault(error, 'LOG_MISMATCH'),
  );
