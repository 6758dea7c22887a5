import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isLeft } from 'fp-ts/lib/Either.js';
import { FaultError } from '../../schemas/errors.js';
import { parseManifest } from '../../schemas/manifest.js';

/** The compiled fixtures: they lie beside this file as the sources do. */
const FIXTURES = join(import.meta.dirname, '..', 'fixtures', 'modules');

/**
 * Makes a directory that the broker can load: the manifest, with the code of a compiled fixture as its entry. The
 * directory is the test's own, so a test may change the manifest without another test meeting it.
 */
export const writeModule = async (dir: string, fixture: string, manifest: object): Promise<string> => {
  const whole = { ...manifest, start: { entry: join(FIXTURES, fixture, 'index.js') } };
  const parsed = parseManifest(JSON.parse(JSON.stringify(whole)));
  if (isLeft(parsed)) throw new FaultError(parsed.left);
  await mkdir(dir, { recursive: true });
  await writeFile(join(dir, 'manifest.json'), JSON.stringify(whole));
  return dir;
};
