import { firstDue, nextDue, type Timing } from '../../schemas/schedule.js';

/** Clocks are set back by less, as a rule. */
const CLOCK_MS = 86_400_000;

/**
 * When a schedule is due, milliseconds since 1970; Infinity: no more. `last` is the next time that its last command
 * in the log names; undefined without one.
 *
 * A time that lies behind the next one of tomorrow is not believed: nothing that this schedule sent can have named
 * it. An old log may have it from a sender who wrote the header, or from the server, which left out firings around
 * clock changes.
 */
export const dueOf = (timing: Timing, createdMs: number, last: number | undefined, nowMs: number): number => {
  if (last === undefined) return firstDue(timing, createdMs);
  if (timing.kind === 'at') return Number.POSITIVE_INFINITY;
  const first = firstDue(timing, createdMs);
  const farthest =
    timing.kind === 'every' ? nowMs + CLOCK_MS + timing.everyMs : nextDue(timing, first, nowMs + CLOCK_MS);
  return last <= farthest ? last : nextDue(timing, first, nowMs);
};

/** So late a firing is not any more because the broker had much to do. Milliseconds. */
export const LATE_MS = 5_000;

/**
 * When a schedule that is due fires next. One that was due before the broker came, or is late, fires once for all
 * that it missed.
 */
export const dueAfter = (timing: Timing, dueMs: number, startedMs: number, nowMs: number): number => {
  const isMissed = dueMs < startedMs || nowMs - dueMs > LATE_MS;
  return nextDue(timing, dueMs, isMissed ? nowMs : dueMs);
};
