import type { Refusal } from '../../schemas/result.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { mapLeft } from 'fp-ts/lib/Either.js';
import { type KnownCalls, outputOrThrow } from './call-in-handler.js';
import type { EffectContext } from './module-shape.js';
import { Refused } from './refused.js';
import type { SignalOptions, SleepTime } from './sleep-time.js';

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
  /**
   * Waits for a signal to the agent, and gives its data. A signal that came before is kept until then. Check the data:
   * no schema does. Throws {@link Refused} with `SIGNAL_TIMEOUT`.
   *
   * @example const { by } = (await awaitSignal('paid', { timeoutMs: 24 * 3_600_000 })) as { by: string };
   */
  awaitSignal(name: string, options?: SignalOptions): Promise<unknown>;
  /**
   * Makes a promise that anyone ends once who holds its id: give the id to a webhook or a person by a step, then await
   * `settled`. It gives the value, or throws {@link Refused} with `PROMISE_REJECTED` or `PROMISE_TIMEOUT`.
   *
   * @example
   * const { id, settled } = await createPromise({ timeoutMs: 3_600_000 });
   * await step('mail', () => mail(person, id));
   * const answer = await settled;
   */
  createPromise(
    options?: SignalOptions,
  ): Promise<{ readonly id: string; readonly settled: Promise<unknown> }>;
}

/** Waits as async handlers have them, from those of the host. */
export const promisedWaits = (
  {
    sleep,
    sleepUntil,
    awaitSignal,
    createPromise,
  }: Pick<EffectContext<unknown, never>, 'sleep' | 'sleepUntil' | 'awaitSignal' | 'createPromise'>,
  known: KnownCalls,
): Waits => {
  const asRefused = mapLeft((refusal: Refusal) => new Refused(refusal));
  const settle = known.noting(async (settled: TaskEither<Refusal, unknown>) =>
    outputOrThrow(asRefused(await settled())),
  );
  return {
    createPromise: known.noting(async (options?: SignalOptions) => {
      const { id, settled } = outputOrThrow(asRefused(await createPromise(options)()));
      const value = settle(settled);
      // A handler that fails before it awaits this must not end the process.
      value.catch(() => undefined);
      return { id, settled: value };
    }),
    sleep: known.noting(async (ms: number) => outputOrThrow(asRefused(await sleep(ms)()))),
    sleepUntil: known.noting(async (time: SleepTime) => outputOrThrow(asRefused(await sleepUntil(time)()))),
    awaitSignal: known.noting(async (name: string, options?: SignalOptions) =>
      outputOrThrow(asRefused(await awaitSignal(name, options)())),
    ),
  };
};
