import {
  type Addressed,
  addressed,
  type CalledModule,
  type ManifestIn,
  manifestIn,
  type ModuleOrManifest,
} from './addressed.js';
import type { ActionName, Input, TypedManifest } from './define-manifest.js';
import type { Send } from './module-shape.js';

/** A command for a result to carry: `send(accounts, 'deposit', 'anna', { amount: 5 })`. */
export const send: {
  <C extends CalledModule, A extends ActionName<ManifestIn<C>>>(
    module: C,
    action: A,
    ...to: Addressed<ManifestIn<C>, A>
  ): Send;
  /** By a manifest: the agent is `undefined` for an action of the module itself. */
  <M extends TypedManifest, A extends ActionName<M>>(
    manifest: M,
    action: A,
    agent: string | undefined,
    input: Input<M, A>,
  ): Send;
} = (module: ModuleOrManifest, action: string, ...to: readonly unknown[]): Send => {
  const manifest = manifestIn(module);
  const { agent, data } = addressed(module, action, to);
  return { module: manifest.name, name: action, ...(agent === undefined ? {} : { agent }), data };
};
