import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isLeft } from 'fp-ts/lib/Either.js';
import { FaultError } from '../../schemas/errors.js';
import { type Manifest, parseManifest } from '../../schemas/manifest.js';

/** The compiled fixtures and shipped modules: they lie beside this file as the sources do. */
const FIXTURES = join(import.meta.dirname, '..', 'fixtures', 'modules');
const SHIPPED = join(import.meta.dirname, '..', '..', 'modules');

/** Makes a directory that the broker can load, of this manifest. */
export const writeManifest = async (dir: string, manifest: object): Promise<string> => {
  const parsed = parseManifest(JSON.parse(JSON.stringify(manifest)));
  if (isLeft(parsed)) throw new FaultError(parsed.left);
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'manifest.json'), JSON.stringify(manifest));
  return dir;
};

/**
 * Makes a directory that the broker can load: the manifest, with the code of a compiled fixture as its entry. The
 * directory is the test's own, so a test may change the manifest without another test meeting it.
 */
export const writeModule = (dir: string, fixture: string, manifest: object): Promise<string> =>
  writeManifest(dir, { ...manifest, start: { entry: join(FIXTURES, fixture, 'index.js') } });

/**
 * The same for a module that ships with the package, under limits of the test's. With arguments for Node its process is
 * started by a command of its own.
 */
export const writeShippedModule = async (
  dir: string,
  name: string,
  limits: NonNullable<Manifest['limits']>,
  nodeArgs: readonly string[] = [],
): Promise<string> => {
  const manifest = JSON.parse(await readFile(join(SHIPPED, name, 'manifest.json'), 'utf8')) as Manifest;
  const entry = join(SHIPPED, name, 'index.js');
  // Only a module that the broker hosts itself has look-ups by fields.
  const { index: _, ...described } = manifest;
  const command = [process.execPath, ...nodeArgs, join(SHIPPED, 'host', 'host-main.js'), dir, entry];
  return nodeArgs.length === 0
    ? writeManifest(dir, { ...manifest, limits, start: { entry } })
    : writeManifest(dir, { ...described, limits, start: { command } });
};
