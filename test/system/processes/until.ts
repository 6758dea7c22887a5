import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';

const POLL_MS = 10;

/** Waits until `condition` gives something truthy, and gives it; fails, naming what was awaited, at the deadline. */
export const until = async <T>(
  what: string,
  condition: () => T | Promise<T>,
  deadlineMs = 10_000,
): Promise<NonNullable<T>> => {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    assert.ok(Date.now() < end, `not within ${deadlineMs} ms: ${what}`);
    await pause(POLL_MS);
  }
};
