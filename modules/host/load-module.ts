import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { isLeft } from 'fp-ts/lib/Either.js';
import { type Manifest, parseManifest, schemaOf } from '../../schemas/manifest.js';
import type { AnyModule } from '../sdk/module.js';
import { moduleExport } from './module-export.js';

const identify = (manifest: Pick<Manifest, 'name' | 'version' | 'schema'>): string =>
  `${manifest.name} ${manifest.version}, schema ${schemaOf(manifest)}`;

/** Runs the entry file of a module; throws where what it exports is no module, or not the one of the manifest. */
export const loadModule = async (dir: string, entry: string, manifest: Manifest): Promise<AnyModule> => {
  const loaded = (await import(pathToFileURL(resolve(dir, entry)).href)) as Record<string, unknown>;
  const found = moduleExport(entry, loaded);
  if ('problem' in found) throw new Error(found.problem);
  const { module } = found;
  // Payloads are checked by the schemas of the code: those of the file are not all that the broker must be able to trust.
  const usable = parseManifest(JSON.parse(JSON.stringify(module.manifest)));
  if (isLeft(usable))
    throw new Error(`${usable.left.code}: in the code of ${manifest.name}: ${usable.left.message}`);
  // The broker granted what the file says; code that was built from another manifest would be refused piece by piece.
  const [file, code] = [identify(manifest), identify(module.manifest)];
  if (file !== code) throw new Error(`the manifest file is of ${file}, the code of ${code}`);
  return module;
};
