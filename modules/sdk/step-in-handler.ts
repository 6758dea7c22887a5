import { type Either, mapLeft } from 'fp-ts/lib/Either.js';
import type { Refusal } from '../../schemas/result.js';
import { type KnownCalls, outputOrThrow } from './call-in-handler.js';
import type { EffectContext } from './module-shape.js';
import { Refused } from './refused.js';
import type { StepFunction, StepOptions } from './step-function.js';

/**
 * Runs an effect outside and stores what it returned. If the handler runs again, it gets the stored value, and the
 * function does not run. Steps and calls must come in the same order each time. A step makes no calls and no steps.
 *
 * Resolves with the value; throws {@link Refused} with `STEP_FAILED` if the last attempt threw, in each run.
 *
 * @example const { id } = await step('charge', ({ key }) => charge(card, 5, key), { attempts: 3 });
 */
export interface RunStep {
  <T>(name: string, run: StepFunction<T>, options?: StepOptions): Promise<T>;
  /** The same, but resolves with `{ _tag: 'Left', left: Refused }` or `{ _tag: 'Right', right: value }`. */
  try<T>(name: string, run: StepFunction<T>, options?: StepOptions): Promise<Either<Refused, T>>;
}

/** `step` as async handlers have it, from the one of the host. */
export const promisedStep = (step: EffectContext<unknown, never>['step'], known: KnownCalls): RunStep => {
  const attempt = async <T>(
    name: string,
    run: StepFunction<T>,
    options?: StepOptions,
  ): Promise<Either<Refused, T>> =>
    mapLeft((refusal: Refusal) => new Refused(refusal))(await step(name, run, options)());
  const resolve = async <T>(name: string, run: StepFunction<T>, options?: StepOptions): Promise<T> =>
    outputOrThrow(await attempt(name, run, options));
  return Object.assign(known.noting(resolve), { try: known.noting(attempt) }) as RunStep;
};
