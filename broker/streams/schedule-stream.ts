import type { JetStreamManager, StreamConfig, StreamInfo } from '@nats-io/jetstream';
import { MAX_HEADER_BYTES, MAX_RECORD_BYTES } from '../../schemas/log.js';
import { addStream } from './add-stream.js';
import { findStream } from './find-stream.js';
import { isThrown } from '../../link/jetstream-error.js';

/**
 * What is to be sent later. A separate stream: a schedule that ends is removed, and the log removes nothing. See
 * docs/decisions/0053.
 */
export const SCHED = 'SCHED';

export const laterOf = (id: string): string => `later.${id}`;
export const ALL_LATER = 'later.*';

/**
 * What brokers left here that had the server fire: schedules, and commands that these had fired. See
 * {@link takeOverServerSchedules}.
 */
export const ALL_SERVER_SCHEDULES = 'sched.*';
export const ALL_SERVER_FIRINGS = 'fired.*';

/**
 * The stream forgets the oldest when it is full, so it has no limit: the broker, which alone writes to it, refuses
 * before.
 */
export const MAX_SCHEDULES = 10_000;
export const MAX_SCHEDULE_BYTES = 256 * 1024 * 1024;

/** Of them each account may have half: guests leave the operator room. */
export const MAX_ACCOUNT_SCHEDULE_BYTES = MAX_SCHEDULE_BYTES / 2;

/** Broker and server add headers to the command of a firing. */
const ADDED_BYTES = 2_048;
/** Largest schedule: what it fires must still fit in a record of the log. */
export const MAX_SCHEDULE_RECORD_BYTES = MAX_RECORD_BYTES - ADDED_BYTES;
/** The same of its headers. */
export const MAX_SCHEDULE_HEADER_BYTES = MAX_HEADER_BYTES - ADDED_BYTES;

const config = (): Partial<StreamConfig> & { name: string } =>
  ({
    name: SCHED,
    description: 'Tallystick: commands that are sent later',
    subjects: [ALL_LATER, ALL_SERVER_SCHEDULES, ALL_SERVER_FIRINGS],
    retention: 'limits',
    storage: 'file',
    discard: 'old',
    max_age: 0,
    max_msgs: -1,
    max_bytes: -1,
    // Firings of one schedule that an earlier broker left.
    max_msgs_per_subject: 16,
    max_msg_size: MAX_RECORD_BYTES,
    allow_direct: true,
    // Nothing here uses it, but the server refuses to take it from a stream that has it. The client's types do not
    // name it.
    allow_msg_schedules: true,
  }) as Partial<StreamConfig> & { name: string };

/** Makes the stream, or sets what differs. Throws what the server says. */
export const ensureSchedules = async (jsm: JetStreamManager): Promise<StreamInfo> => {
  const wanted = config();
  try {
    return await addStream(jsm, wanted);
  } catch (error) {
    // There is one of that name with other settings: the same settings are no error.
    if (!isThrown(error, 'streamNameExists')) throw error;
    return await jsm.streams.update(SCHED, wanted);
  }
};

/** Whether the stream is there: it is made for the first schedule. A direct get from one that is not has no answer. */
export const hasSchedules = async (jsm: JetStreamManager): Promise<boolean> =>
  (await findStream(jsm, SCHED)) !== undefined;
