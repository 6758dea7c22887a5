import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { packageRoot } from '../../broker/process/package-root.js';
import { cacheDir } from '../../broker/server/cache.js';

/** The programs that tests and benchmarks run. */
export interface Tools {
  readonly natsServer: string;
  readonly nats: string;
}

const BUILD_TIMEOUT_MS = 20 * 60_000;
const PACKAGES = ['github.com/nats-io/nats-server/v2', 'github.com/nats-io/natscli/nats'];

/** The Go module whose go.mod and go.sum pin what is built; its tools.go says why it is a module. */
const MODULE = join(packageRoot(), 'perf', 'tools');

/** Changes whenever what is built, or for which machine, does. */
const fingerprint = (goMod: string, goSum: string): string =>
  createHash('sha256')
    .update([goMod, goSum, process.platform, process.arch].join('\n'))
    .digest('hex')
    .slice(0, 16);

const pinnedVersion = (goMod: string, module: string): string =>
  new RegExp(`${module} v(\\S+)`).exec(goMod)?.[1] ?? 'unknown';

const goBuild = async (into: string): Promise<void> => {
  const args = ['build', '-mod=readonly', '-buildvcs=false', '-trimpath', '-o', `${into}/`, ...PACKAGES];
  try {
    await promisify(execFile)('go', args, {
      cwd: MODULE,
      // `readonly` builds nothing that go.sum does not name, and leaves the source tree as it is. Without cgo no C
      // compiler is needed, and neither program uses it.
      env: { ...process.env, CGO_ENABLED: '0', GOWORK: 'off' },
      timeout: BUILD_TIMEOUT_MS,
    });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error('Go (https://go.dev/dl/) is needed to build `nats` from source: `go` is not in PATH.');
  }
};

/** The pinned `nats-server` and `nats`, built once and kept in the cache of the user. */
export const buildTools = async (say: (line: string) => void): Promise<Tools> => {
  const goMod = await readFile(join(MODULE, 'go.mod'), 'utf8');
  const goSum = await readFile(join(MODULE, 'go.sum'), 'utf8');
  const cache = resolve(cacheDir());
  const folder = join(cache, `test-tools-${fingerprint(goMod, goSum)}`);
  const tools = { natsServer: join(folder, 'nats-server'), nats: join(folder, 'nats') };
  if (existsSync(folder)) return tools;

  const server = pinnedVersion(goMod, 'github.com/nats-io/nats-server/v2');
  const cli = pinnedVersion(goMod, 'github.com/nats-io/natscli');
  say(`building nats-server ${server} and nats ${cli} from source, about a minute, once (kept in ${folder})`);
  await mkdir(cache, { recursive: true });
  const building = await mkdtemp(join(cache, 'building-'));
  try {
    await goBuild(building);
    // The rename makes the folder appear complete or not at all. Where another run was first, its folder is as good.
    await rename(building, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error;
    });
  } finally {
    await rm(building, { recursive: true, force: true });
  }
  return tools;
};
