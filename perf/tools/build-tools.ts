import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../../system/files/package-root.js';
import { buildOnce } from './go-build.js';

/** The programs that tests and benchmarks run. */
export interface Tools {
  readonly natsServer: string;
  readonly nats: string;
}

/** The Go module whose go.mod and go.sum pin what is built; its tools.go says why it is a module. */
const MODULE = join(packageRoot(), 'perf', 'tools');

const pinnedVersion = (goMod: string, module: string): string =>
  new RegExp(`${module} v(\\S+)`).exec(goMod)?.[1] ?? 'unknown';

/** The pinned `nats-server` and `nats`, built once and kept in the cache of the user. */
export const buildTools = async (say: (line: string) => void): Promise<Tools> => {
  const goMod = await readFile(join(MODULE, 'go.mod'), 'utf8');
  const server = pinnedVersion(goMod, 'github.com/nats-io/nats-server/v2');
  const cli = pinnedVersion(goMod, 'github.com/nats-io/natscli');
  const folder = await buildOnce({
    name: 'test-tools',
    module: MODULE,
    files: ['go.mod', 'go.sum'],
    packages: ['github.com/nats-io/nats-server/v2', 'github.com/nats-io/natscli/nats'],
    onBuild: (into) =>
      say(
        `building nats-server ${server} and nats ${cli} from source, about a minute, once (kept in ${into})`,
      ),
  });
  return { natsServer: join(folder, 'nats-server'), nats: join(folder, 'nats') };
};
