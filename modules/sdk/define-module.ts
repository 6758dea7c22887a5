import type { TypedManifest } from './define-manifest.js';
import { deriveModule } from './derive-module.js';
import type {
  AnyDefinition,
  DerivedManifest,
  ModuleDefinition,
  NoConfig,
  Schemas,
} from './module-definition.js';
import type { AnyModule, Module } from './module-shape.js';
import type { AnySchema } from './schema-of.js';

/** A module whose manifest is derived from its definition. */
export type DefinedModule<Name extends string, State, Events, Inputs, Outputs, Agents, Codes> = Module<
  DerivedManifest<Name, Events, Inputs, Outputs, Agents, Codes>,
  State
>;

/**
 * Defines a module; its file has the module as the default export. The types of the state, events, inputs and outputs
 * come from the schemas. Throws MANIFEST_INVALID if a schema has no form in JSON Schema.
 *
 * The first form takes a manifest that you keep, with `initial` and `evolve` apart from it.
 */
export const defineModule: {
  // First, so that the compiler explains a mistake by the form below.
  <const M extends TypedManifest, State>(module: Module<M, State>): Module<M, State>;
  <
    const Name extends string,
    State,
    Inputs extends Schemas,
    Outputs extends Record<keyof Inputs, AnySchema>,
    const Agents,
    const Codes,
    Events extends Schemas = Record<never, never>,
    Config extends AnySchema = NoConfig,
    Heards extends Schemas = Record<never, never>,
    Folds extends Schemas = Record<never, never>,
  >(
    definition: ModuleDefinition<Name, State, Events, Inputs, Outputs, Agents, Codes, Config, Heards, Folds>,
  ): DefinedModule<Name, State, Events, Inputs, Outputs, Agents, Codes>;
} = ((given: AnyModule | AnyDefinition) => ('manifest' in given ? given : deriveModule(given))) as never;
