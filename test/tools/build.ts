import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { PROJECT_ROOT } from '../support/project-root.js';
import { runProgram } from '../support/run-program.js';

export interface TestTools {
  readonly natsServer: string;
  readonly nats: string;
}

const BUILD_TIMEOUT_MS = 20 * 60_000;
const PACKAGES = ['github.com/nats-io/nats-server/v2', 'github.com/nats-io/natscli/nats'];

/** The Go module whose go.mod and go.sum pin what is built; its tools.go says why it is a module. */
const MODULE = join(PROJECT_ROOT, 'test', 'tools');

const cacheFolder = (): string => {
  const { TALLYSTICK_CACHE, XDG_CACHE_HOME } = process.env;
  return TALLYSTICK_CACHE || join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'tallystick');
};

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
  const { code, stderr } = await runProgram('go', args, {
    cwd: MODULE,
    // `readonly` builds nothing that go.sum does not name, and leaves the source tree as it is. Without cgo no C
    // compiler is needed, and neither program uses it.
    env: { CGO_ENABLED: '0', GOWORK: 'off' },
    timeoutMs: BUILD_TIMEOUT_MS,
  }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
    throw new Error(
      'The tests need Go (https://go.dev/dl/) to build nats-server and nats from source: `go` is not in PATH.',
    );
  });
  if (code !== 0) throw new Error(`go ${args.join(' ')} failed with ${code}\n${stderr}`);
};

/** The pinned `nats-server` and `nats`, built once and kept in the cache of the user. */
export const buildTestTools = async (): Promise<TestTools> => {
  const goMod = await readFile(join(MODULE, 'go.mod'), 'utf8');
  const goSum = await readFile(join(MODULE, 'go.sum'), 'utf8');
  const cache = cacheFolder();
  const folder = join(cache, `test-tools-${fingerprint(goMod, goSum)}`);
  const tools = { natsServer: join(folder, 'nats-server'), nats: join(folder, 'nats') };
  if (existsSync(folder)) return tools;

  const server = pinnedVersion(goMod, 'github.com/nats-io/nats-server/v2');
  const cli = pinnedVersion(goMod, 'github.com/nats-io/natscli');
  process.stdout.write(
    `building nats-server ${server} and nats ${cli} from source, about a minute, once (kept in ${folder})\n`,
  );
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
