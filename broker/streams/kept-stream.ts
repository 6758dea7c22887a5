import type { StreamConfig } from '@nats-io/jetstream';
import { MAX_RECORD_BYTES } from '../../schemas/log.js';

/** Settings of a stream that keeps all that it has acknowledged, until it has so many bytes. */
export const keptStream = (maxBytes: number): Partial<StreamConfig> => ({
  retention: 'limits',
  storage: 'file',
  max_bytes: maxBytes,
  max_age: 0,
  max_msgs: -1,
  max_msgs_per_subject: -1,
  max_msg_size: MAX_RECORD_BYTES,
  // A full stream refuses what comes (10077) instead of forgetting what it has (I1).
  discard: 'new',
  // What is acknowledged has been stored (I1).
  no_ack: false,
  persist_mode: 'default',
  allow_direct: true,
  deny_delete: true,
  deny_purge: true,
});
