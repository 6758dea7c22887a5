import type { Manifest } from '../../schemas/manifest.js';
import type { ModuleState } from '../../schemas/operate.js';
import type { ServiceStats } from './service-stats.js';

/** A module as callers and discovery see it. */
export interface ServedModule {
  readonly manifest: Manifest;
  readonly state: ModuleState;
  /** It finishes what it handles and begins nothing more. */
  readonly stopping: boolean;
  /** The same, but another process takes over at once. */
  readonly reloading: boolean;
  /** Unique since the module was loaded. */
  readonly instance: string;
  readonly stats: ServiceStats;
}

/** Which modules there are: the gateway asks, the supervisor knows. */
export interface ModuleDirectory {
  readonly find: (name: string) => ServedModule | undefined;
  /** Those that are loaded. */
  readonly served: () => Iterable<ServedModule>;
}
