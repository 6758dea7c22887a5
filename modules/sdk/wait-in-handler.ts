import type { Refusal } from '../../schemas/result.js';
import { mapLeft } from 'fp-ts/lib/Either.js';
import { type KnownCalls, outputOrThrow } from './call-in-handler.js';
import type { EffectContext } from './module-shape.js';
import { Refused } from './refused.js';
import type { SleepTime } from './sleep-time.js';

/**
 * Waits that outlive every process. A handler that waits holds no memory and no place: it is run again when the wait is
 * over, with the recorded calls and steps. Its agent handles no other command until the handler has ended.
 */
export interface Waits {
  /**
   * Waits so many milliseconds from now on. If the handler runs again, the time is that of the first run.
   *
   * @example await sleep(24 * 3_600_000);
   */
  sleep(ms: number): Promise<void>;
  /**
   * Waits until a time; a time of the past is due at once. The time must be the same in each run, so take it from the
   * command or from a step.
   *
   * @example await sleepUntil('2027-01-01T00:00:00Z');
   */
  sleepUntil(time: SleepTime): Promise<void>;
}

/** Waits as async handlers have them, from those of the host. */
export const promisedWaits = (
  { sleep, sleepUntil }: Pick<EffectContext<unknown, never>, 'sleep' | 'sleepUntil'>,
  known: KnownCalls,
): Waits => {
  const asRefused = mapLeft((refusal: Refusal) => new Refused(refusal));
  return {
    sleep: known.noting(async (ms: number) => outputOrThrow(asRefused(await sleep(ms)()))),
    sleepUntil: known.noting(async (time: SleepTime) => outputOrThrow(asRefused(await sleepUntil(time)()))),
  };
};
