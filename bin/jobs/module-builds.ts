import { readdir, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { sourceOf } from '../../broker/supervisor/module-origin.js';
import { NEW_BUILDS } from '../../modules/bundle/build-module.js';
import { BUILT_DIR } from '../../schemas/config.js';
import { isName } from '../../schemas/names.js';
import { type Fault, fault } from '../../schemas/errors.js';

/** Another command may have built one that the broker does not have yet. */
const KEPT_MS = 10 * 60_000;
/** The same of many commands in that time: a build takes up to megabytes. */
const KEPT_BUILDS = 10;

interface FoundBuild {
  readonly dir: string;
  readonly mtimeMs: number;
}

/** The directories in a directory, the newest first; none if it is not there. */
const buildsIn = async (parent: string): Promise<readonly FoundBuild[]> => {
  const names = await readdir(parent).catch(() => []);
  const found = await Promise.all(
    names.map(async (name) => {
      const dir = join(parent, name);
      // Another command may have removed it.
      const at = await stat(dir).catch(() => undefined);
      return at === undefined ? [] : [{ dir, mtimeMs: at.mtimeMs }];
    }),
  );
  return found.flat().sort((a, b) => b.mtimeMs - a.mtimeMs);
};

const removeAll = (builds: readonly FoundBuild[]): Promise<unknown> =>
  Promise.all(builds.map(({ dir }) => rm(dir, { recursive: true, force: true })));

const isOld = ({ mtimeMs }: FoundBuild): boolean => mtimeMs < Date.now() - KEPT_MS;

/**
 * Removes earlier builds of a module, and what killed commands left of builds that did not end. It keeps `dir`, which
 * the broker has now, and the ten newest of the last ten minutes.
 */
export const removeEarlierBuilds =
  (dir: string): TaskEither<Fault, void> =>
  async () => {
    if (sourceOf(dir) === undefined) return right(undefined);
    const of = dirname(dir);
    try {
      const others = (await buildsIn(of)).filter((build) => basename(build.dir) !== basename(dir));
      await removeAll(others.filter((build, i) => i >= KEPT_BUILDS || isOld(build)));
      await removeAll((await buildsIn(join(dirname(of), NEW_BUILDS))).filter(isOld));
      return right(undefined);
    } catch (error) {
      return left(
        fault(
          'DATA_DIR_UNUSABLE',
          `the module is loaded, but its earlier builds cannot be removed: ${(error as Error).message}`,
        ),
      );
    }
  };

/**
 * Removes all builds of a module that the broker has forgotten. No record of the log needs them: a replay runs the code
 * that its user names.
 */
export const removeBuilds =
  (dataDir: string, name: string): TaskEither<Fault, void> =>
  async () => {
    if (!isName(name)) return right(undefined);
    try {
      await rm(join(dataDir, BUILT_DIR, name), { recursive: true, force: true });
      return right(undefined);
    } catch (error) {
      const why = (error as Error).message;
      return left(fault('DATA_DIR_UNUSABLE', `${name} is removed, but its builds cannot be removed: ${why}`));
    }
  };
