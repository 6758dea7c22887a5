import { execFile, spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { isLeft } from 'fp-ts/lib/Either.js';
import { freePort } from '../../system/processes/free-port.js';
import type { Reaper } from '../../system/processes/reaper.js';
import { cacheDir } from '../../broker/server/cache.js';
import { FaultError } from '../../schemas/errors.js';
import { libraryPath, unpackDebianPackages } from './debian-packages.js';
import { peerLeftOut } from './left-out.js';
import type { PeerServer } from './peer-server.js';
import { connectRedis } from './redis-client.js';
import { pause } from '../../system/async/pause.js';
import { installFolder } from '../../system/files/install.js';

/** A `redis-server` that ran when asked for its version. */
export interface RedisProgram {
  readonly path: string;
  readonly version: string;
  readonly env: NodeJS.ProcessEnv;
}

const PACKAGES = ['redis-server', 'redis-tools'];
const IN_PACKAGE = join('usr', 'bin', 'redis-server');
const START_LIMIT_MS = 20_000;

/** Of `Redis server v=7.0.15 sha=…`. */
export const parseVersion = (output: string): string | undefined => /\bv=(\S+)/.exec(output)?.[1];

const probe = async (path: string, env = process.env): Promise<RedisProgram> => {
  const { stdout } = await promisify(execFile)(path, ['--version'], { env, timeout: START_LIMIT_MS });
  const version = parseVersion(stdout);
  if (version === undefined) throw new Error(`${path} is no redis-server: ${stdout}`);
  return { path, version, env };
};

const probeUnpacked = async (root: string): Promise<RedisProgram> =>
  probe(join(root, IN_PACKAGE), { ...process.env, LD_LIBRARY_PATH: await libraryPath(root) });

/** From the packages of the machine's Debian, kept in the cache; a package that no longer runs is fetched again. */
const fromDebian = async (say: (line: string) => void): Promise<RedisProgram> => {
  const folder = join(resolve(cacheDir()), `redis-${process.platform}-${process.arch}`);
  const cached = await probeUnpacked(folder).catch(() => undefined);
  if (cached !== undefined) return cached;
  say(`fetching redis-server as Debian packages, once (kept in ${folder})`);
  await installFolder(folder, async (work) => {
    await unpackDebianPackages(PACKAGES, IN_PACKAGE, work);
    await probeUnpacked(work);
  });
  return probeUnpacked(folder);
};

/** `REDIS_SERVER`, else of PATH, else of Debian's packages; undefined, with a report, if there is none. */
export const findRedis = async (say: (line: string) => void): Promise<RedisProgram | undefined> => {
  try {
    if (process.env.REDIS_SERVER) return await probe(process.env.REDIS_SERVER);
    return (await probe('redis-server').catch(() => undefined)) ?? (await fromDebian(say));
  } catch (error) {
    say(peerLeftOut('Redis', error));
    return undefined;
  }
};

/** When Redis syncs its append-only file: each second, or before each reply. */
export const APPEND_FSYNC = ['everysec', 'always'] as const;
export type AppendFsync = (typeof APPEND_FSYNC)[number];

const SETTINGS = ['--bind', '127.0.0.1', '--save', '', '--daemonize', 'no'];

const durabilityOf = (appendFsync: AppendFsync | undefined): readonly string[] =>
  appendFsync === undefined
    ? ['--appendonly', 'no']
    : ['--appendonly', 'yes', '--appendfsync', appendFsync, '--maxmemory-policy', 'noeviction'];

/** Starts it on loopback: in memory alone, or with an append-only file. */
export const startRedis = async (
  { path, env }: RedisProgram,
  dir: string,
  reaper: Reaper,
  appendFsync?: AppendFsync,
): Promise<PeerServer> => {
  const free = await freePort('127.0.0.1')();
  if (isLeft(free)) throw new FaultError(free.left);
  const port = free.right;
  const args = ['--port', String(port), '--dir', dir, ...SETTINGS, ...durabilityOf(appendFsync)];
  const server = spawn(path, args, { env, stdio: 'ignore' });
  reaper.track(server);
  const exited = new Promise<string>((resolve) => {
    server.once('error', (error) => resolve(error.message));
    server.once('exit', (code, signal) => resolve(`it ended with ${code ?? signal}`));
  });
  let ended: string | undefined;
  void exited.then((reason) => {
    ended = reason;
  });
  const stop = async (): Promise<void> => {
    server.kill('SIGKILL');
    await exited;
  };
  const until = performance.now() + START_LIMIT_MS;
  for (;;) {
    const redis = await connectRedis(port).catch(() => undefined);
    const answer = await redis?.ping().catch(() => undefined);
    redis?.disconnect();
    if (answer === 'PONG' && server.pid !== undefined)
      return { port, pid: server.pid, [Symbol.asyncDispose]: stop };
    if (ended !== undefined || performance.now() > until) {
      await stop();
      throw new Error(`redis-server did not start: ${ended ?? 'it does not answer'}`);
    }
    await pause(20);
  }
};
