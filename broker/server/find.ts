import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, resolve } from 'node:path';
import { type Either, isLeft, isRight, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type Fault, fault } from '../../schemas/errors.js';
import type { Reaper } from '../../system/processes/reaper.js';
import { buildServer } from './build-server.js';
import { type Produce, cacheDir, cachedServerPath, installServer } from './cache.js';
import type { DownloadLimits } from './download.js';
import { checkPins, checksumOf, notePin, ownPinPath, pinPath } from './pinned-server.js';
import { probeExact, probeServer } from './probe.js';
import type { OnProgress } from './progress.js';
import { fetchRelease } from './release.js';
import { SERVER_VERSION } from './version.js';

export interface ServerBinary {
  /** Absolute. */
  readonly path: string;
  readonly version: string;
  readonly source: 'NATS_SERVER' | 'PATH' | 'cache' | 'release' | 'built';
}

export interface FindOptions {
  /** Read: NATS_SERVER, PATH, TALLYSTICK_CACHE, XDG_CACHE_HOME, HOME, TALLYSTICK_RELEASES, and what go reads. */
  readonly env?: NodeJS.ProcessEnv;
  readonly onProgress?: OnProgress;
  readonly limits?: DownloadLimits;
  /** A directory of the broker, which notes the checksum of the cached server too. */
  readonly pinDir?: string;
  /** Only what is on this machine: nothing is downloaded or built. Default false. */
  readonly isHereOnly?: boolean;
  /** Ends a build when the broker dies meanwhile. */
  readonly reaper?: Pick<Reaper, 'track'>;
}

/** One place to look in. */
interface Attempt {
  readonly name: string;
  readonly run: TaskEither<Fault, ServerBinary>;
}

const found =
  (source: ServerBinary['source'], path: string, probe: TaskEither<Fault, string>): Attempt['run'] =>
  async () => {
    const probed = await probe();
    return isRight(probed) ? right({ path, version: probed.right, source }) : probed;
  };

const executablesOnPath = async (env: NodeJS.ProcessEnv): Promise<readonly string[]> => {
  const dirs = (env.PATH ?? '').split(delimiter).filter((dir) => dir !== '');
  const paths = [...new Set(dirs.map((dir) => resolve(dir, 'nats-server')))];
  const isExecutable = await Promise.all(
    paths.map((path) =>
      access(path, constants.X_OK).then(
        () => true,
        () => false,
      ),
    ),
  );
  return paths.filter((_, at) => isExecutable[at]);
};

const onPath = async (env: NodeJS.ProcessEnv): Promise<readonly Attempt[]> => {
  const paths = await executablesOnPath(env);
  const none = fault('SERVER_NOT_FOUND', 'there is no nats-server on it');
  return paths.length === 0
    ? [{ name: 'PATH', run: async () => left(none) }]
    : paths.map((path) => ({ name: 'PATH', run: found('PATH', path, probeServer(path)) }));
};

/** The server in the cache. It runs only if it is the one that was installed. */
const cachedServer =
  (path: string, pinDir: string | undefined): Attempt['run'] =>
  async () => {
    const own = pinDir === undefined ? [] : [ownPinPath(pinDir, path)];
    const checked = await checkPins(path, [pinPath(path), ...own]);
    if (isLeft(checked)) return checked;
    const server = await found('cache', path, probeExact(path, SERVER_VERSION))();
    // What does not run is fetched again, so its checksum is not noted.
    if (isRight(server)) await checked.right();
    return server;
  };

/** What this broker has just installed is what it compares with from now on. */
const installed =
  (
    source: 'release' | 'built',
    { dir, pinDir }: { readonly dir: string; readonly pinDir: string | undefined },
    produce: Produce,
  ): Attempt['run'] =>
  async () => {
    const path = await installServer(dir, SERVER_VERSION, produce)();
    if (isRight(path) && pinDir !== undefined)
      await notePin(ownPinPath(pinDir, path.right), await checksumOf(path.right));
    return isRight(path) ? right({ path: path.right, version: SERVER_VERSION, source }) : path;
  };

const ADVICE =
  'Install nats-server (https://github.com/nats-io/nats-server/releases) and have it on PATH or name it in ' +
  'NATS_SERVER; or give this machine access to github.com or a mirror (TALLYSTICK_RELEASES); or install go to build it';

const nowhere = (tried: readonly (readonly [string, Fault])[]): Fault => {
  // A server that is merely too old is nearer to a solution than none: the code says what stands in the way.
  const tooOld = tried.some(([, { code }]) => code === 'SERVER_TOO_OLD');
  const lines = tried.map(([name, { message }]) => `  ${name}: ${message}`);
  const head = 'no nats-server can be used; tried, in this order:';
  return fault(tooOld ? 'SERVER_TOO_OLD' : 'SERVER_NOT_FOUND', [head, ...lines, ADVICE].join('\n'));
};

const firstThatWorks = async (attempts: readonly Attempt[]): Promise<Either<Fault, ServerBinary>> => {
  const tried: (readonly [string, Fault])[] = [];
  for (const { name, run } of attempts) {
    const outcome = await run();
    // Another server in the place of one that was changed would hide the change.
    if (isRight(outcome) || outcome.left.code === 'SERVER_CHANGED') return outcome;
    tried.push([name, outcome.left]);
  }
  return left(nowhere(tried));
};

/** What the person named is what is used, or an error: never silently another one. */
const named = async (value: string): Promise<Either<Fault, ServerBinary>> => {
  const path = resolve(value);
  const outcome = await found('NATS_SERVER', path, probeServer(path))();
  if (isRight(outcome)) return outcome;
  const advice = 'Correct NATS_SERVER, or unset it to use the one on PATH or let the broker fetch its own';
  return left(fault(outcome.left.code, `NATS_SERVER=${value}: ${outcome.left.message}. ${advice}`));
};

/**
 * Finds a nats-server that runs here and is new enough: the one named in NATS_SERVER (final, when it is set), on PATH,
 * in the cache, from the official release, built with go; the last two are put into the cache.
 * `SERVER_CHANGED` if the one in the cache is another than before.
 * `SERVER_NOT_FOUND` or `SERVER_TOO_OLD` with what was tried and why it failed, one a line, and what to do.
 */
export const findServer =
  (options: FindOptions = {}): TaskEither<Fault, ServerBinary> =>
  async () => {
    const {
      env = process.env,
      onProgress = () => undefined,
      limits,
      isHereOnly = false,
      reaper,
      pinDir,
    } = options;
    if (env.NATS_SERVER) return named(env.NATS_SERVER);
    const dir = resolve(cacheDir(env));
    const cached = cachedServerPath(dir, SERVER_VERSION);
    const here = [...(await onPath(env)), { name: 'cache', run: cachedServer(cached, pinDir) }];
    if (isHereOnly) return firstThatWorks(here);
    const release = fetchRelease({ version: SERVER_VERSION, env, onProgress, ...(limits && { limits }) });
    const build = buildServer({ version: SERVER_VERSION, env, onProgress, ...(reaper && { reaper }) });
    return firstThatWorks([
      ...here,
      { name: 'release', run: installed('release', { dir, pinDir }, release) },
      { name: 'go build', run: installed('built', { dir, pinDir }, build) },
    ]);
  };
