import { chmod, open, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { inWorkFolder } from '../../system/files/install.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { checksumOf, notePin, pinPath } from './pinned-server.js';
import { probeExact } from './probe.js';

/** `$TALLYSTICK_CACHE`, else `$XDG_CACHE_HOME/tallystick`, else where the platform keeps caches. */
export const cacheDir = (
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
): string => {
  if (env.TALLYSTICK_CACHE) return env.TALLYSTICK_CACHE;
  if (env.XDG_CACHE_HOME) return join(env.XDG_CACHE_HOME, 'tallystick');
  const home = env.HOME || homedir();
  return platform === 'darwin'
    ? join(home, 'Library', 'Caches', 'tallystick')
    : join(home, '.cache', 'tallystick');
};

/** The file of one version for this machine; a cache in a shared home serves machines of several kinds. */
export const cachedServerPath = (dir: string, version: string): string =>
  join(dir, `nats-server-${version}-${process.platform}-${process.arch}`);

const syncFile = async (path: string): Promise<void> => {
  const file = await open(path, 'r+');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
};

/** Puts a nats-server into `binary`, which is in the directory `work`; what else it leaves there is thrown away. */
export type Produce = (binary: string, work: string) => TaskEither<Fault, void>;

/**
 * Installs what `produce` makes as the cached server of that version and gives its path.
 *
 * It is made in a work folder, tried there, and moved over the target by one `rename`: two starts at once each
 * install a whole one. What does not run as that version is not installed.
 */
export const installServer =
  (dir: string, version: string, produce: Produce): TaskEither<Fault, string> =>
  async () => {
    try {
      return await inWorkFolder(dir, async (work) => {
        const binary = join(work, 'nats-server');
        const produced = await produce(binary, work)();
        if (isLeft(produced)) return produced;
        await chmod(binary, 0o755);
        const probed = await probeExact(binary, version)();
        if (isLeft(probed)) return probed;
        await syncFile(binary);
        const sum = await checksumOf(binary);
        const target = cachedServerPath(dir, version);
        // A start between the two finds another checksum than the note says, so the note of the one before goes first.
        await rm(pinPath(target), { force: true });
        await rename(binary, target);
        await notePin(pinPath(target), sum);
        return right(target);
      });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return left(
        fault('SERVER_NOT_FOUND', `it cannot be put into the cache ${dir} (TALLYSTICK_CACHE): ${reason}`),
      );
    }
  };
