import { createHash } from 'node:crypto';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { type Fault, fault } from '../../schemas/errors.js';
import { type Address, storedCommandSubject } from '../../schemas/subjects.js';
import { keyDiffers, keyReused } from '../gateway/key-reuse.js';
import { laterOf } from '../streams/schedule-stream.js';
import { readOne } from './page.js';
import type { Plan, PlannedSchedule } from './plan.js';

/** The id of a schedule whose sender gave it a key: the same for each request with that key. */
export const idOfKey = (sender: string, key: string): string =>
  `key-${createHash('sha256').update(`${sender} ${key}`).digest('base64url').slice(0, 22)}`;

/** The command of a schedule. */
export interface ScheduledCommand {
  readonly address: Address;
  readonly sender: string;
  readonly data: Uint8Array;
}

export interface ScheduleSources {
  readonly nc: NatsConnection;
  /** It has been read. */
  readonly plan: Plan;
  /** The due time behind the last firing of a schedule that the log has. */
  readonly lastFiring: (schedule: string) => number | undefined;
}

/**
 * The schedule that has the key of a request already; undefined if none has it. KEY_REUSED if it is for another
 * command, SCHEDULE_ENDED if it is over. The time of the request does not count: `in: 10m` is another time each time.
 */
export const scheduleOfKey = async (
  { nc, plan, lastFiring }: ScheduleSources,
  { address, sender, data }: ScheduledCommand,
  key: string,
): Promise<Either<Fault, PlannedSchedule | undefined>> => {
  const id = idOfKey(sender, key);
  const planned = plan.get(id);
  const message = planned === undefined ? undefined : await readOne(nc, laterOf(id));
  if (planned === undefined || message === undefined) {
    const hasFired = lastFiring(`${sender}/${id}`) !== undefined;
    return hasFired
      ? left(
          fault('SCHEDULE_ENDED', `schedule ${id} of the key ${key} has fired and is over; use another key`),
        )
      : right(undefined);
  }
  const stored = { subject: storedCommandSubject(planned.address, planned.sender), data: message.data };
  const differs = keyDiffers(stored, { subject: storedCommandSubject(address, sender), data });
  return differs === undefined ? right(planned) : left(keyReused(key, `schedule ${id}`, differs));
};
