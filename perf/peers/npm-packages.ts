import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { cacheDir } from '../../broker/server/cache.js';
import { installFolder } from '../../system/files/install.js';

const INSTALL_LIMIT_MS = 10 * 60_000;

/**
 * Installs packages of npm once into the cache, in exact versions and without their scripts; the folder. They are no
 * part of this package.
 */
export const installNpmPackages = async (
  name: string,
  dependencies: Readonly<Record<string, string>>,
  say: (line: string) => void,
): Promise<string> => {
  const versions = [...new Set(Object.values(dependencies))].join('-');
  const folder = join(resolve(cacheDir()), `${name}-${versions}-${process.platform}-${process.arch}`);
  if (existsSync(join(folder, 'package.json'))) return folder;
  say(`installing ${name} from npm, once (kept in ${folder})`);
  await installFolder(folder, async (work) => {
    await writeFile(join(work, 'package.json'), JSON.stringify({ private: true, dependencies }));
    // Below `npm run`, npm would take this project for the place to install into.
    const args = ['install', '--prefix', work, '--ignore-scripts', '--no-audit', '--no-fund'];
    await promisify(execFile)('npm', args, { cwd: work, timeout: INSTALL_LIMIT_MS });
  });
  return folder;
};

/** A package in such a folder. */
export const loadFrom = <T>(folder: string, name: string): T =>
  createRequire(join(folder, 'package.json'))(name) as T;
