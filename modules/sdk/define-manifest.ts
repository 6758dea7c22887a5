import type { Static, TSchema } from 'typebox';
import type { ActionManifest, Manifest } from '../../schemas/manifest.js';

/** A manifest whose schemas are TypeBox values, so that commands, results and events get their types from it. */
export type TypedManifest = Omit<Manifest, 'actions' | 'events'> & {
  readonly actions: Record<
    string,
    Omit<ActionManifest, 'input' | 'output'> & { readonly input: TSchema; readonly output: TSchema }
  >;
  readonly events: Record<string, { readonly description?: string; readonly data: TSchema }>;
};

/** Names the literal type of a manifest; the value is what `manifest.json` holds. */
export const defineManifest = <const M extends TypedManifest>(manifest: M): M => manifest;

/** The names of the actions of a module. */
export type ActionName<M extends TypedManifest> = keyof M['actions'] & string;
/** The input of an action. */
export type Input<M extends TypedManifest, A extends ActionName<M>> = Static<M['actions'][A]['input']>;
/** The output of an action. */
export type Output<M extends TypedManifest, A extends ActionName<M>> = Static<M['actions'][A]['output']>;

/** Every event that the manifest declares, as a union tagged by `name`. */
export type EventOf<M extends TypedManifest> = {
  [E in keyof M['events'] & string]: { readonly name: E; readonly data: Static<M['events'][E]['data']> };
}[keyof M['events'] & string];
