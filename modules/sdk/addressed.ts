import type { ErrorCode } from '../../schemas/error-table.js';
import type { ActionName, Input, TypedManifest } from './define-manifest.js';

/** A module as callers name it: what `defineModule` returns. */
export interface CalledModule {
  readonly manifest: TypedManifest;
}
/** The same, or its manifest alone. */
export type ModuleOrManifest = TypedManifest | CalledModule;
/** A manifest as you write it, with defaults left out. */
export type ManifestIn<C extends ModuleOrManifest> = C extends {
  readonly manifest: infer M extends TypedManifest;
}
  ? M
  : C extends TypedManifest
    ? C
    : never;

/** The agent, if the action is for one, and the input. */
export type Addressed<M extends TypedManifest, A extends ActionName<M>> = M['actions'][A] extends {
  readonly agent: 'none';
}
  ? readonly [input: Input<M, A>]
  : readonly [agent: string, input: Input<M, A>];

/** The codes that a call can be refused with: those that the action declares, and those of the table of errors. */
export type CodeOf<M extends TypedManifest, A extends ActionName<M>> = M['actions'][A] extends {
  readonly rejections?: readonly (infer Code extends string)[];
}
  ? Code | ErrorCode
  : string;

export const manifestIn = (callee: ModuleOrManifest): TypedManifest =>
  'manifest' in callee ? callee.manifest : callee;

/** The agent and the input among the arguments of a call, which depend on the action. */
export const addressed = (
  callee: ModuleOrManifest,
  action: string,
  to: readonly unknown[],
): { readonly agent: string | undefined; readonly data: unknown } => {
  // By a manifest, an action of the module itself has `undefined` for the agent.
  if (!('manifest' in callee)) return { agent: to[0] as string | undefined, data: to[1] };
  const { actions } = callee.manifest;
  const forModule = Object.hasOwn(actions, action) && actions[action]?.agent === 'none';
  return forModule ? { agent: undefined, data: to[0] } : { agent: to[0] as string, data: to[1] };
};
