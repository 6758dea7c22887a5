import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { startOrder } from '../../broker/supervisor/dependencies.js';
import { isModule, isObject, lackOf } from '../../modules/host/module-export.js';
import { type CompiledModule, compileModule } from '../../modules/sdk/compiled-module.js';
import { compileFoldable } from '../../modules/sdk/fold.js';
import type { AnyModule } from '../../modules/sdk/module-shape.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { type Manifest, parseManifest } from '../../schemas/manifest.js';
import { messageOf } from '../../text/thrown-message.js';

/** What a test author does about a value that is no module. */
const advice = (value: unknown): string => {
  if (typeof value === 'function') return ': give the module that it makes';
  if (value instanceof Promise) return ': await it';
  if (!isObject(value)) return ': give what `defineModule` returns';
  const [name] = Object.entries(value).find(([, inner]) => isModule(inner)) ?? [];
  return name === undefined
    ? ': give what `defineModule` returns'
    : `: its \`${name}\` is a module, give that`;
};

const manifestOf = (module: AnyModule, place: string): Either<Fault, Manifest> => {
  try {
    return parseManifest(JSON.parse(JSON.stringify(module.manifest)));
  } catch (thrown) {
    return left(fault('MANIFEST_INVALID', `the manifest of ${place} cannot be JSON: ${messageOf(thrown)}`));
  }
};

/** What a broker checks before it loads modules. A caller in JavaScript may give any value. */
export const checkedModules = (given: readonly unknown[]): Either<Fault, readonly CompiledModule[]> => {
  if (!Array.isArray(given))
    return left(fault('USAGE', 'startInProcess takes an array of modules: startInProcess([tickets])'));
  const manifests = new Map<string, Manifest>();
  const modules: AnyModule[] = [];
  for (const [i, module] of given.entries()) {
    const place = `module ${i + 1} of startInProcess`;
    if (!isModule(module))
      return left(fault('MODULE_BUILD_FAILED', `${place} ${lackOf(module)}${advice(module)}`));
    const manifest = manifestOf(module, place);
    if (isLeft(manifest)) return manifest;
    const { name } = manifest.right;
    if (manifests.has(name))
      return left(fault('MODULE_NAME_TAKEN', `startInProcess got two modules with the name ${name}`));
    manifests.set(name, manifest.right);
    const foldable = compileFoldable(module);
    if (isLeft(foldable)) return foldable;
    modules.push(module);
  }
  const [refused] = startOrder(manifests).refused.values();
  return refused === undefined ? right(modules.map(compileModule)) : left(refused);
};
