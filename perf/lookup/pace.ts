import { pause } from '../../system/async/pause.js';

/** What a pace came to. */
export interface Paced {
  readonly events: number;
  readonly seconds: number;
}

export interface Pace {
  /** Ends it after the group that is being applied. Rejects when a group could not be. */
  readonly stop: () => Promise<Paced>;
}

/** A group above this waits: a writer that falls behind must not get all of it at once. */
const LARGEST_GROUP = 10_000;
const TICK_MS = 1;

/** How many of them have come due, and are not yet applied, after so long. */
export const due = (elapsedMs: number, perSecond: number, applied: number): number =>
  Math.max(0, Math.min(LARGEST_GROUP, Math.floor((elapsedMs * perSecond) / 1_000) - applied));

/**
 * Applies events at a fixed rate, in groups of what came due since the last, one group at a time. The rate does not
 * wait for who applies: one that is too slow falls behind, and what it reached is told.
 */
export const startPace = (perSecond: number, apply: (events: number) => Promise<void> | void): Pace => {
  const begun = performance.now();
  let events = 0;
  let isOver = false;
  const run = async (): Promise<Paced> => {
    while (!isOver) {
      const count = due(performance.now() - begun, perSecond, events);
      if (count > 0) await apply(count);
      events += count;
      await pause(TICK_MS);
    }
    return { events, seconds: (performance.now() - begun) / 1_000 };
  };
  const ended = run();
  // The code that stops it learns of a failure.
  ended.catch(() => undefined);
  return {
    stop: () => {
      isOver = true;
      return ended;
    },
  };
};
