import { type Either, isLeft, mapLeft } from 'fp-ts/lib/Either.js';
import type { Refusal } from '../../schemas/result.js';
import {
  type Addressed,
  addressed,
  type CalledModule,
  type CodeOf,
  type ManifestIn,
  manifestIn,
} from './addressed.js';
import type { ActionName, Output } from './define-manifest.js';
import type { EffectContext } from './module-shape.js';
import { Refused } from './refused.js';

/**
 * Calls an action of a module that `dependencies` names, or of `self`. The call is a command in the log. If the handler
 * runs again after a crash, it gets the stored result, so calls must come in the same order each time.
 *
 * Resolves with the output; throws {@link Refused}. A handler that does not catch it is refused with the same code.
 *
 * @example const { balance } = await call(accounts, 'deposit', 'anna', { amount: 5 });
 */
export interface Call {
  <C extends CalledModule, A extends ActionName<ManifestIn<C>>>(
    module: C,
    action: A,
    ...to: Addressed<ManifestIn<C>, A>
  ): Promise<Output<ManifestIn<C>, A>>;
  /** The same, but resolves with `{ _tag: 'Left', left: Refused }` or `{ _tag: 'Right', right: output }`. */
  try<C extends CalledModule, A extends ActionName<ManifestIn<C>>>(
    module: C,
    action: A,
    ...to: Addressed<ManifestIn<C>, A>
  ): Promise<Either<Refused<CodeOf<ManifestIn<C>, A>>, Output<ManifestIn<C>, A>>>;
}

/** Notes the promises of calls, as `all`, `race` and `any` take them. */
export interface KnownCalls {
  readonly noting: <Given extends readonly unknown[], T>(
    run: (...given: Given) => Promise<T>,
  ) => (...given: Given) => Promise<T>;
}

/** The output of a call, or its refusal thrown. */
export const outputOrThrow = <Code extends string, Out>(said: Either<Refused<Code>, Out>): Out => {
  if (isLeft(said)) throw said.left;
  return said.right;
};

/** `call` as async handlers have it, from the one of the host. */
export const promisedCall = (call: EffectContext<unknown, never>['call'], known: KnownCalls): Call => {
  const attempt = async (
    callee: CalledModule,
    action: string,
    ...to: readonly unknown[]
  ): Promise<Either<Refused, unknown>> => {
    const { agent, data } = addressed(callee, action, to);
    const said = await call(manifestIn(callee), action, agent, data as never)();
    return mapLeft((refusal: Refusal) => new Refused(refusal))(said as Either<Refusal, unknown>);
  };
  const resolve = async (...given: Parameters<typeof attempt>): Promise<unknown> =>
    outputOrThrow(await attempt(...given));
  return Object.assign(known.noting(resolve), { try: known.noting(attempt) }) as unknown as Call;
};
