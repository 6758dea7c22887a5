import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { cacheDir } from '../../broker/server/cache.js';
import { installFolder } from '../../system/files/install.js';

export interface GoBuild {
  /** What the folder in the cache is named after. */
  readonly name: string;
  /** The folder of the Go module. */
  readonly module: string;
  /** Its files that decide what is built, go.mod and go.sum among them. */
  readonly files: readonly string[];
  readonly packages: readonly string[];
  /** Told only where it must be built. */
  readonly onBuild: (folder: string) => void;
}

const BUILD_TIMEOUT_MS = 20 * 60_000;

/** Changes whenever what is built, or for which machine, does. */
const fingerprint = (contents: readonly string[]): string =>
  createHash('sha256')
    .update([...contents, process.platform, process.arch].join('\n'))
    .digest('hex')
    .slice(0, 16);

const goBuild = async ({ module, packages }: GoBuild, into: string): Promise<void> => {
  const args = ['build', '-mod=readonly', '-buildvcs=false', '-trimpath', '-o', `${into}/`, ...packages];
  try {
    await promisify(execFile)('go', args, {
      cwd: module,
      // `readonly` builds nothing that go.sum does not name, and leaves the source tree as it is. Without cgo no C
      // compiler is needed, and none of the programs uses it.
      env: { ...process.env, CGO_ENABLED: '0', GOWORK: 'off' },
      timeout: BUILD_TIMEOUT_MS,
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error(
      `Go (https://go.dev/dl/) is needed to build ${packages.join(', ')} from source: \`go\` is not in PATH.`,
    );
  }
};

/** Programs of a Go module, built once and kept in the cache of the user: the folder that has them. */
export const buildOnce = async (build: GoBuild): Promise<string> => {
  const contents = await Promise.all(build.files.map((file) => readFile(join(build.module, file), 'utf8')));
  const folder = join(resolve(cacheDir()), `${build.name}-${fingerprint(contents)}`);
  if (existsSync(folder)) return folder;

  build.onBuild(folder);
  await installFolder(folder, (work) => goBuild(build, work));
  return folder;
};
