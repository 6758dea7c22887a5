import { isLeft } from 'fp-ts/lib/Either.js';
import { rejectedWith } from '../../modules/client/module-calls.js';
import { fault } from '../../schemas/errors.js';
import { LAST_MS } from '../../schemas/instant.js';
import { parseDuration } from '../../schemas/quantity.js';
import type { HandClock } from './hand-clock.js';

/** The time of a test: it stands still until you move it. */
export interface TestClock {
  /** The time as all modules have it. */
  readonly now: () => Date;
  /**
   * Moves the time on, by milliseconds or a duration (`90s`, `1h30m`, `2d`). Everything that is due on the way happens
   * at its time: schedules, pauses between tries, time limits of handlers and calls. Resolves when the consequences are
   * over, except those for which a handler waits outside of the log. Moves that you begin together add up.
   *
   * Throws `Refused`: USAGE for a time that is no number from 0 up or no duration, or that ends after the year 9999;
   * OPERATION_PENDING if commands follow each other without an end.
   */
  readonly advance: (by: number | string) => Promise<void>;
}

const usage = (message: string): Error => rejectedWith(fault('USAGE', message));

const spanOf = (by: number | string): number => {
  if (typeof by === 'string') {
    const parsed = parseDuration(by);
    if (isLeft(parsed)) throw rejectedWith(parsed.left);
    return parsed.right;
  }
  if (typeof by === 'number' && by >= 0) return by;
  throw usage(`the clock moves on by milliseconds from 0 up, or by a duration such as 90s, not by ${by}`);
};

/** `settled` resolves when nothing happens any more by itself. */
export const testClock = (clock: HandClock, settled: () => Promise<void>): TestClock => {
  let moving: Promise<void> = Promise.resolve();
  const move = async (by: number | string, ms: number): Promise<void> => {
    const untilMs = clock.now() + ms;
    // Infinity too.
    if (untilMs > LAST_MS) throw usage(`the clock does not move by ${by}: that ends after the year 9999`);
    await clock.moveTo(untilMs, settled);
  };
  return {
    now: () => new Date(clock.now()),
    advance: async (by) => {
      const ms = spanOf(by);
      const moved = moving.then(() => move(by, ms));
      moving = moved.catch(() => undefined);
      await moved;
    },
  };
};
