import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { cacheDir } from '../../broker/server/cache.js';
import { installFolder } from '../../system/files/install.js';
import type { Reaper } from '../../system/processes/reaper.js';
import { makeBenchDir } from '../bench/bench-dir.js';
import { libraryPath, unpackDebianPackages } from './debian-packages.js';
import { endChild, LOOPBACK, loopbackPort, pidOf } from './loopback-server.js';
import type { PeerServer } from './peer-server.js';

/** PostgreSQL that ran when asked for its version. */
export interface PostgresPrograms {
  /** It has `initdb` and `postgres`. */
  readonly bin: string;
  readonly version: string;
  readonly env: NodeJS.ProcessEnv;
}

const run = promisify(execFile);
const LIMIT_MS = 120_000;
const RELEASES = join('usr', 'lib', 'postgresql');

/** The newest release below a root; undefined: there is none. */
const releaseIn = async (root: string): Promise<string | undefined> => {
  const names = await readdir(join(root, RELEASES)).catch(() => []);
  const newest = names.toSorted((a, b) => Number(b) - Number(a))[0];
  return newest === undefined ? undefined : join(root, RELEASES, newest, 'bin');
};

const probe = async (bin: string, env: NodeJS.ProcessEnv): Promise<PostgresPrograms> => {
  const { stdout } = await run(join(bin, 'postgres'), ['--version'], { env, timeout: LIMIT_MS });
  return { bin, version: stdout.trim(), env };
};

/** Of `  Depends: postgresql-15`. */
export const serverPackageIn = (depends: string): string | undefined =>
  /^\s*Depends: (postgresql-\d+)$/m.exec(depends)?.[1];

const fromDebian = async (say: (line: string) => void): Promise<PostgresPrograms> => {
  const root = join(resolve(cacheDir()), `postgresql-${process.platform}-${process.arch}`);
  if (!existsSync(root)) {
    say(`fetching PostgreSQL as a Debian package, once (kept in ${root})`);
    const name = serverPackageIn((await run('apt-cache', ['depends', 'postgresql'])).stdout);
    if (name === undefined) throw new Error('apt knows no package of PostgreSQL; try apt-get update');
    const program = join(RELEASES, name.slice('postgresql-'.length), 'bin', 'postgres');
    await installFolder(root, (work) => unpackDebianPackages([name], program, work));
  }
  const bin = await releaseIn(root);
  if (bin === undefined) throw new Error(`${root} has no PostgreSQL`);
  return probe(bin, { ...process.env, LD_LIBRARY_PATH: await libraryPath(root) });
};

/** Of this machine, else of Debian's packages. Throws if there is none. */
export const findPostgres = async (say: (line: string) => void): Promise<PostgresPrograms> => {
  const installed = await releaseIn('/');
  return installed === undefined ? fromDebian(say) : probe(installed, process.env);
};

/** PostgreSQL refuses to run as root. In a namespace of users the same user has another number. */
const asNobody = (command: string, args: readonly string[]): readonly [string, readonly string[]] =>
  process.getuid?.() === 0
    ? ['unshare', ['--user', '--map-user=1000', '--map-group=1000', '--', command, ...args]]
    : [command, args];

export const POSTGRES_USER = 'postgres';

/** Starts it on loopback with its defaults: each commit is synced. It is there when a client reaches it. */
export const startPostgres = async ({ bin, env }: PostgresPrograms, reaper: Reaper): Promise<PeerServer> => {
  const dir = await makeBenchDir();
  const data = join(dir.path, 'data');
  const port = await loopbackPort();
  const init = ['-D', data, '-U', POSTGRES_USER, '-A', 'trust', '-E', 'UTF8', '--no-locale', '--no-sync'];
  const [initCommand, initArgs] = asNobody(join(bin, 'initdb'), init);
  await run(initCommand, initArgs, { env, timeout: LIMIT_MS });
  const serve = ['-D', data, '-h', LOOPBACK, '-p', String(port), '-k', dir.path];
  const [command, args] = asNobody(join(bin, 'postgres'), serve);
  const server = spawn(command, args, { env, stdio: 'ignore' });
  reaper.track(server);
  return {
    port,
    pid: pidOf('PostgreSQL', server),
    [Symbol.asyncDispose]: async () => {
      // A kill would leave its shared memory behind.
      await endChild(server, 'SIGQUIT');
      await dir[Symbol.asyncDispose]();
    },
  };
};
