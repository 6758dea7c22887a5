import { writeFile } from 'node:fs/promises';
import { isLeft } from 'fp-ts/lib/Either.js';
import { FaultError, fault } from '../schemas/errors.js';
import { parseManifest } from '../schemas/manifest.js';
import type { AnyModule } from './sdk/module-shape.js';
import { burstModules, shippedModules } from './shipped.js';

/**
 * Part of the build: writes the `manifest.json` of each shipped module from the manifest that its code is typed by,
 * next to its compiled `index.js`, so that the two cannot differ. Ends the build when one could not be loaded.
 */
const writeManifest = async (name: string, directory: string): Promise<void> => {
  const { default: module } = (await import(`./${directory}/index.js`)) as { default: AnyModule };
  const text = `${JSON.stringify({ ...module.manifest, start: { entry: './index.js' } }, undefined, 2)}\n`;
  // What is verified is what was written: TypeBox values lose their marks on the way through JSON.
  const parsed = parseManifest(JSON.parse(text));
  if (isLeft(parsed)) throw new FaultError({ ...parsed.left, message: `${name}: ${parsed.left.message}` });
  if (parsed.right.name !== name) {
    throw new FaultError(
      fault('MANIFEST_INVALID', `${directory} is ${parsed.right.name}, not ${name}`, '/name'),
    );
  }
  await writeFile(new URL(`./${directory}/manifest.json`, import.meta.url), text);
};

for (const { name, directory } of [...shippedModules, ...burstModules]) await writeManifest(name, directory);
