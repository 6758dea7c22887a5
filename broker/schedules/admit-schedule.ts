import * as E from 'fp-ts/lib/Either.js';
import type { Fault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { parseTiming, type Timing, type WhenHeaders } from '../../schemas/schedule.js';
import type { Address } from '../../schemas/subjects.js';
import { admitCommand } from '../gateway/call-admission.js';
import type { ModuleDirectory } from '../gateway/directory.js';
import type { SignedSubject } from '../gateway/signed-subject.js';
import { dueTooLate, refusedAlways } from './hopeless.js';

/** A request for a schedule: `subject` is MODULE.ACTION[.AGENT]. */
export interface AskedSchedule extends SignedSubject {
  readonly data: Uint8Array;
  /** The headers of its commands besides the schedule's id. */
  readonly headers: Readonly<Record<string, string>>;
  readonly when: WhenHeaders;
  readonly key?: string | undefined;
}

/** A command that is to be sent later. It has been admitted. */
export interface ScheduleRequest {
  readonly address: Address;
  readonly sender: string;
  readonly timing: Timing;
  readonly data: Uint8Array;
  /** The headers of its commands besides the schedule's id. */
  readonly headers: Readonly<Record<string, string>>;
  /** The sender's name for it: all requests with the same key are one schedule. */
  readonly key?: string | undefined;
}

/**
 * Refuses what a call would be refused for, and what its module would refuse at every firing. `now`: milliseconds since
 * 1970.
 */
export const admitSchedule = (
  { subject, sender, data, headers, when, key }: AskedSchedule,
  directory: Pick<ModuleDirectory, 'find'>,
  now: number,
): E.Either<Fault, ScheduleRequest> => {
  const admitted = admitCommand({ subject, sender, payloadBytes: data.length }, directory);
  if (E.isLeft(admitted)) return admitted;
  const { module, address, action } = admitted.right;
  const refused = refusedAlways({ manifest: module.manifest, action, headers, data });
  if (refused !== undefined) return E.left(refused);
  const timing = parseTiming(when, now);
  if (E.isLeft(timing)) return timing;
  const late = dueTooLate(timing.right, headers[HEADER.deadline], now);
  return late === undefined
    ? E.right({ address, sender, timing: timing.right, data, headers, key })
    : E.left(late);
};
