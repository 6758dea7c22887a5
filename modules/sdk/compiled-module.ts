import { type Checks, compileChecks } from './checks.js';
import type { RecordSeals } from './fold.js';
import type { AnyModule } from './module-shape.js';

/** A module with its schemas, which are compiled once. */
export interface CompiledModule {
  readonly module: AnyModule;
  readonly checks: Checks;
  /** Opens encrypted values; undefined: the module has none. */
  readonly seals?: RecordSeals | undefined;
}

export const compileModule = (module: AnyModule): CompiledModule => ({
  module,
  checks: compileChecks(module.manifest),
});
