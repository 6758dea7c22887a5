import type { Schedule } from '../../schemas/schedule.js';
import type { PlannedSchedule } from './plan.js';

/** A schedule as people see it. */
export const describeSchedule = ({
  id,
  address,
  sender,
  timing,
  createdMs,
  dueMs,
}: Omit<PlannedSchedule, 'seq' | 'bytes'>): Schedule => ({
  id,
  module: address.module,
  action: address.name,
  agent: address.agent ?? null,
  sender,
  at: timing.kind === 'at' ? new Date(timing.atMs).toISOString() : null,
  everyMs: timing.kind === 'every' ? timing.everyMs : null,
  cron: timing.kind === 'cron' ? timing.expression : null,
  timezone: timing.kind === 'cron' ? (timing.timezone ?? null) : null,
  next: new Date(dueMs).toISOString(),
  created: new Date(createdMs).toISOString(),
});
