import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { cacheDir } from '../../broker/server/cache.js';
import { installFolder } from '../../system/files/install.js';

const INSTALL_LIMIT_MS = 10 * 60_000;
const REQUIREMENTS = 'requirements.txt';

interface PipPackage {
  readonly name: string;
  readonly version: string;
  /** SHA-256 of each wheel that may be installed, in hex. pip refuses every other file. */
  readonly wheels: readonly string[];
}

/** Installs a wheel once into the cache, from the index in pip's settings; the folder. Throws without pip. */
export const installPipPackage = async (
  { name, version, wheels }: PipPackage,
  say: (line: string) => void,
): Promise<string> => {
  const folder = join(resolve(cacheDir()), `${name}-${version}-${process.platform}-${process.arch}`);
  if (existsSync(join(folder, REQUIREMENTS))) return folder;
  say(`installing ${name} ${version} with pip, once (kept in ${folder})`);
  await installFolder(folder, async (work) => {
    const requirements = join(work, REQUIREMENTS);
    const hashes = wheels.map((hash) => `--hash=sha256:${hash}`);
    await writeFile(requirements, [`${name}==${version}`, ...hashes].join(' '));
    const only = ['--no-deps', '--only-binary', ':all:', '--require-hashes'];
    const args = ['-m', 'pip', 'install', '--quiet', '--no-input', ...only, '--target', work];
    const run = promisify(execFile)('python3', [...args, '--requirement', requirements], {
      timeout: INSTALL_LIMIT_MS,
    });
    await run.catch(({ message }: Error) => {
      throw new Error(`${name} needs python3 with pip, and a wheel for this machine: ${message}`);
    });
  });
  return folder;
};
