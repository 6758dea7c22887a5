import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { startOrder } from '../../broker/supervisor/dependencies.js';
import { type CompiledModule, compileModule } from '../../modules/sdk/compiled-module.js';
import { compileFoldable } from '../../modules/sdk/fold.js';
import type { AnyModule } from '../../modules/sdk/module-shape.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { type Manifest, parseManifest } from '../../schemas/manifest.js';

/** What a broker checks before it loads modules. */
export const checkedModules = (modules: readonly AnyModule[]): Either<Fault, readonly CompiledModule[]> => {
  const manifests = new Map<string, Manifest>();
  for (const module of modules) {
    const manifest = parseManifest(JSON.parse(JSON.stringify(module.manifest)));
    if (isLeft(manifest)) return manifest;
    const { name } = manifest.right;
    if (manifests.has(name)) return left(fault('USAGE', `two modules are called ${name}`));
    manifests.set(name, manifest.right);
    const foldable = compileFoldable(module);
    if (isLeft(foldable)) return foldable;
  }
  const [refused] = startOrder(manifests).refused.values();
  return refused === undefined ? right(modules.map(compileModule)) : left(refused);
};
