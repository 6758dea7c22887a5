import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { CompiledModule } from '../../modules/sdk/compiled-module.js';
import { givenConfig } from '../../modules/sdk/given-config.js';
import { type Fault, fault } from '../../schemas/errors.js';

type Values = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** What the handlers of each module see of its configuration. A caller in JavaScript may give any value. */
export const givenConfigs = (
  modules: readonly CompiledModule[],
  given: Values,
): Either<Fault, ReadonlyMap<string, unknown>> => {
  const known = new Map(modules.map(({ module: { manifest } }) => [manifest.name, manifest]));
  const unknown = Object.keys(given).find((name) => !known.has(name));
  if (unknown !== undefined)
    return left(
      fault('USAGE', `config has values for ${JSON.stringify(unknown)}, and no such module runs here`),
    );
  const configs = new Map<string, unknown>();
  for (const [name, manifest] of known) {
    const values = Object.hasOwn(given, name) ? given[name] : {};
    if (typeof values !== 'object' || values === null)
      return left(fault('USAGE', `config.${name} is no object with the keys of ${name}`));
    const config = givenConfig(manifest, values);
    if (isLeft(config)) return config;
    configs.set(name, config.right);
  }
  return right(configs);
};
