import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as E from 'fp-ts/lib/Either.js';
import { armFailPoints } from '../../broker/journal/fail-point.js';
import { API_PREFIX, MODULE_ENV } from '../../schemas/control.js';
import { type Manifest, parseManifest, schemaOf } from '../../schemas/manifest.js';
import type { AnyModule } from '../sdk/module.js';
import { Host } from './host.js';

/** The program that hosts one JavaScript module: `node main.js <directory> <entry>`, started by the broker. */

const required = (name: string): string => {
  const value = process.env[name];
  if (value === undefined || value === '')
    throw new Error(`${name} is not set: this program is started by the broker`);
  return value;
};

const identify = (manifest: Pick<Manifest, 'name' | 'version' | 'schema'>): string =>
  `${manifest.name} ${manifest.version}, schema ${schemaOf(manifest)}`;

const load = async (dir: string, entry: string): Promise<AnyModule> => {
  const loaded = (await import(pathToFileURL(resolve(dir, entry)).href)) as { default?: AnyModule };
  const module = loaded.default;
  if (module?.manifest === undefined || module.actions === undefined || module.evolve === undefined) {
    throw new Error(`${entry} has no default export made with defineModule`);
  }
  const manifest = parseManifest(JSON.parse(readFileSync(required(MODULE_ENV.manifest), 'utf8')));
  if (E.isLeft(manifest)) throw new Error(manifest.left.message);
  // The broker granted what the file says; code that was built from another manifest would be refused piece by piece.
  const [file, code] = [identify(manifest.right), identify(module.manifest)];
  if (file !== code) throw new Error(`the manifest file is of ${file}, the code of ${code}`);
  return module;
};

const [dir, entry] = process.argv.slice(2);
if (dir === undefined || entry === undefined) throw new Error('usage: main.js <directory> <entry>');

if (armFailPoints(required(MODULE_ENV.name))) process.stderr.write('fail-points are on\n');
const host = await Host.connect(await load(dir, entry), {
  url: required(MODULE_ENV.url),
  seed: required(MODULE_ENV.seed),
  apiPrefix: process.env[MODULE_ENV.apiPrefix] ?? API_PREFIX,
  snapshotsDir: required(MODULE_ENV.snapshots),
  lastExit: process.env[MODULE_ENV.lastExit] ?? 'none',
});
process.on('SIGTERM', () => void host.stop());
process.on('SIGINT', () => void host.stop());
await host.run();
// A handler that has left a timer or a socket behind must not keep a module that was stopped.
process.exit();
