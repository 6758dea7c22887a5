import type { ActionName, EventOf, Input, Output, TypedManifest } from './define-manifest.js';
import type { EffectAction, PureAction } from './module-shape.js';

/** The pure handler of one action, for a decider that is written outside of `defineModule`. */
export type Decide<M extends TypedManifest, State, A extends ActionName<M>> = PureAction<
  State,
  Input<M, A>,
  Output<M, A>,
  EventOf<M>
>['decide'];

/** The effectful handler of one action, likewise. */
export type Run<M extends TypedManifest, State, A extends ActionName<M>> = EffectAction<
  State,
  Input<M, A>,
  Output<M, A>,
  EventOf<M>
>['run'];
