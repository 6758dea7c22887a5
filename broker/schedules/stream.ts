import type { JetStreamManager, StreamConfig, StreamInfo } from '@nats-io/jetstream';
import { MAX_HEADER_BYTES, MAX_RECORD_BYTES } from '../../schemas/log.js';
import { addStream } from '../log/add-stream.js';

/**
 * Schedules, and what they have fired until the log has it. A stream of their own: one that takes schedules can neither
 * refuse what comes when it is full nor be closed to purges, and the log must do both. See docs/decisions/0018.
 */
export const SCHED = 'SCHED';

// Not `schedule.…`, on which people ask for schedules: what they send must never be stored here as it is.
export const scheduleOf = (id: string): string => `sched.${id}`;
export const firedOf = (id: string): string => `fired.${id}`;
export const ALL_SCHEDULES = 'sched.*';
export const ALL_FIRED = 'fired.*';
/** Header of a schedule and of what it fires: the subject that its command has in the log. */
export const COMMAND_HEADER = 'Tally-Command';
/** Where the server says that something has fired, as it stores it. */
export const FIRED_NOTICE = 'firing.fired.*';

/**
 * The stream forgets the oldest when it is full, and its schedules with it, so it has no limit of its own: the broker,
 * which alone writes to it, refuses before.
 */
export const MAX_SCHEDULES = 10_000;
export const MAX_SCHEDULE_BYTES = 256 * 1024 * 1024;

/** Of them each account may have half: guests leave the operator room. */
export const MAX_ACCOUNT_SCHEDULES = MAX_SCHEDULES / 2;
export const MAX_ACCOUNT_SCHEDULE_BYTES = MAX_SCHEDULE_BYTES / 2;

/** Firings of one schedule that wait for the broker; a newer one takes the place of the oldest. */
const WAITING_FIRINGS = 16;

/** Server and broker add headers of their own to what a schedule fires. */
const ADDED_BYTES = 2_048;
/** Largest schedule: what it fires must still fit in a record of the log. */
export const MAX_SCHEDULE_RECORD_BYTES = MAX_RECORD_BYTES - ADDED_BYTES;
/** The same of its headers. */
export const MAX_SCHEDULE_HEADER_BYTES = MAX_HEADER_BYTES - ADDED_BYTES;

const config = (): Partial<StreamConfig> & { name: string } =>
  ({
    name: SCHED,
    description: 'Tallystick: commands that are sent later',
    subjects: [ALL_SCHEDULES, ALL_FIRED],
    retention: 'limits',
    storage: 'file',
    discard: 'old',
    max_age: 0,
    max_msgs: -1,
    max_bytes: -1,
    max_msgs_per_subject: WAITING_FIRINGS,
    max_msg_size: MAX_RECORD_BYTES,
    allow_direct: true,
    // Known to servers from 2.12; the client's types do not name it.
    allow_msg_schedules: true,
    republish: { src: 'fired.>', dest: 'firing.fired.>' },
  }) as Partial<StreamConfig> & { name: string };

/** Makes the stream, or sets what differs. Throws what the server says. */
export const ensureSchedules = async (jsm: JetStreamManager): Promise<StreamInfo> => {
  const wanted = config();
  try {
    return await addStream(jsm, wanted);
  } catch (error) {
    if ((error as { code?: number }).code !== STREAM_NAME_IN_USE) throw error;
    return await jsm.streams.update(SCHED, wanted);
  }
};

/** There is one of that name with other settings: the same settings are no error. */
const STREAM_NAME_IN_USE = 10058;

const STREAM_NOT_FOUND = 10059;

/** Whether the stream is there: it is made for the first schedule. A direct get from one that is not has no answer. */
export const hasSchedules = async (jsm: JetStreamManager): Promise<boolean> => {
  try {
    await jsm.streams.info(SCHED);
    return true;
  } catch (error) {
    if ((error as { code?: unknown }).code === STREAM_NOT_FOUND) return false;
    throw error;
  }
};
