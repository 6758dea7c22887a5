import type { DeadDetails } from './dead.js';
import type { Masks } from './masks.js';
import type { Payload } from './payload.js';
import type { ScheduleDetails } from './schedule.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** A dead letter as one object on one line, with the payload as the sender sent it. */
export const deadLine = ({ payload: _, ...letter }: DeadDetails, { form, json }: Payload): string =>
  `${JSON.stringify({ ...letter, form }).slice(0, -1)},"payload":${json}}`;

/** A schedule as one object on one line, with the payload as the sender sent it. */
export const scheduleLine = ({ payload, ...schedule }: ScheduleDetails): string =>
  `${JSON.stringify(schedule).slice(0, -1)},"data":${payload ?? 'null'}}`;

/** A schedule with the sensitive values of its commands hidden. */
export const maskedSchedule = (masks: Masks, { payload, ...schedule }: ScheduleDetails): ScheduleDetails => ({
  ...schedule,
  payload:
    payload === null
      ? null
      : decoder.decode(masks.input(schedule.module, schedule.action, encoder.encode(payload))),
});
