import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { type ConfigValues, configKey, effectiveConfig } from '../../schemas/module-config.js';
import type { JsonSchema } from '../../schemas/validate.js';
import { compileWhole } from './own-check.js';

/** What {@link givenConfig} needs of a manifest. */
export interface Configurable {
  readonly name: string;
  readonly config?: JsonSchema;
}

/** A configuration that nothing can change: handlers that run keep theirs. */
export const frozenConfig = <T>(value: T): T => {
  if (typeof value !== 'object' || value === null) return value;
  for (const inner of Object.values(value)) frozenConfig(inner);
  return Object.freeze(value);
};

/**
 * The configuration that handlers of a module see, of values that a test or a replay gives: with the defaults of the
 * schema, and frozen. Undefined: the module declares none. CONFIG_MISSING, CONFIG_INVALID, CONFIG_KEY_UNKNOWN.
 */
export const givenConfig = (manifest: Configurable, values: ConfigValues): Either<Fault, unknown> => {
  for (const key of Object.keys(values)) {
    const known = configKey(manifest, key);
    if (isLeft(known)) return known;
  }
  const { name, config: schema } = manifest;
  if (schema === undefined) return right(undefined);
  const whole = effectiveConfig({ name, config: schema }, values);
  if (isLeft(whole)) return whole;
  const plain: unknown = JSON.parse(JSON.stringify(whole.right));
  const checked = compileWhole(schema, 'CONFIG_INVALID', `configuration of ${name}`)(plain);
  return isLeft(checked)
    ? left(fault('CONFIG_INVALID', checked.left.message, checked.left.path))
    : right(frozenConfig(plain));
};
