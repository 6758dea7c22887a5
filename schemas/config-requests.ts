import Type, { type Static } from 'typebox';
import type { JsonSchema } from './validate.js';

/** The requests of operators about the configuration of modules. Their subjects are in {@link OPS}. */

const Module = Type.String({ minLength: 1, maxLength: 64 });
const Key = Type.String({ minLength: 1, maxLength: 64 });
/** How long the sender waits, milliseconds. */
const WaitMs = Type.Optional(Type.Number());

export const ConfigListRequestSchema = Type.Object(
  { module: Type.Optional(Module) },
  { additionalProperties: false },
);
export const ConfigSetRequestSchema = Type.Object(
  { module: Module, key: Key, value: Type.Unknown(), waitMs: WaitMs },
  { additionalProperties: false },
);
export const ConfigKeyRequestSchema = Type.Object(
  { module: Module, key: Key, waitMs: WaitMs },
  { additionalProperties: false },
);
export type ConfigListRequest = Readonly<Static<typeof ConfigListRequestSchema>>;
export type ConfigSetRequest = Readonly<Static<typeof ConfigSetRequestSchema>>;
export type ConfigKeyRequest = Readonly<Static<typeof ConfigKeyRequestSchema>>;

/** A key, as operators see it: never with a secret. */
export interface ConfigEntry {
  readonly key: string;
  readonly secret: boolean;
  readonly required: boolean;
  /** Whether an operator has set it. */
  readonly set: boolean;
  /** What is set; absent for a secret, and where nothing is. */
  readonly value?: unknown;
  /** What holds while nothing is set; absent: nothing. */
  readonly default?: unknown;
  readonly description: string | null;
  /** Who set it, and when (RFC 3339); null: nobody. */
  readonly by: string | null;
  readonly at: string | null;
  /** Null: the module declares no such key any more, and does not get it. */
  readonly schema: JsonSchema | null;
}

export interface ConfigOfModule {
  readonly module: string;
  /** Grows with each change. */
  readonly version: number;
  readonly change: 'restart' | 'live';
  /** Why the module cannot start with its configuration; null: it can. */
  readonly problem: string | null;
  readonly keys: readonly ConfigEntry[];
}

/** Reply to `ops.config.list`: the modules that declare a configuration, or have one. */
export interface ConfigList {
  readonly modules: readonly ConfigOfModule[];
}

/**
 * What a change led to. `stored`: no process runs with it yet. `started`, `restarted`: a process began with it. `told`:
 * the running process has taken it.
 */
export type ConfigEffect = 'stored' | 'started' | 'restarted' | 'told';

/** Reply to `ops.config.set` and `ops.config.unset`. */
export interface ConfigChange {
  readonly module: string;
  readonly key: string;
  readonly version: number;
  /** False: the key had that value already. */
  readonly changed: boolean;
  readonly effect: ConfigEffect;
  /** Why the module does not run with it; null: nothing. */
  readonly problem: string | null;
}

/** Reply to `ops.config.reveal`. */
export interface RevealedConfig {
  readonly module: string;
  readonly key: string;
  /** Null: the key has no value. */
  readonly value: unknown;
}
