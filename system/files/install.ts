import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { makeDirs } from './make-dirs.js';

const LEFTOVER = '.install-';

/** No install lasts that long; what is older was left behind by a process that was killed. */
const LEFTOVER_AGE_MS = 60 * 60 * 1000;

const removeLeftovers = async (dir: string): Promise<void> => {
  const names = (await readdir(dir)).filter((name) => name.startsWith(LEFTOVER));
  await Promise.all(
    names.map(async (name) => {
      const path = join(dir, name);
      const age = await stat(path).then(
        ({ mtimeMs }) => Date.now() - mtimeMs,
        () => 0,
      );
      if (age > LEFTOVER_AGE_MS) await rm(path, { recursive: true, force: true });
    }),
  );
};

/**
 * Runs an install in a new folder inside `dir`, and removes the folder behind it. What is to stay, the install moves
 * out by one rename: it is there complete, or not at all. A kill leaves the folder, which a later install removes.
 */
export const inWorkFolder = async <A>(dir: string, install: (work: string) => Promise<A>): Promise<A> => {
  const work = join(dir, `${LEFTOVER}${randomUUID()}`);
  try {
    makeDirs(work);
    await removeLeftovers(dir);
    return await install(work);
  } finally {
    await rm(work, { recursive: true, force: true }).catch(() => undefined);
  }
};

/**
 * Installs a whole folder, and replaces an older one. If two processes install at once, the folder of either will do.
 */
export const installFolder = (folder: string, fill: (work: string) => Promise<void>): Promise<void> =>
  inWorkFolder(dirname(folder), async (work) => {
    await fill(work);
    await rm(folder, { recursive: true, force: true });
    await rename(work, folder).catch((error: unknown) => {
      if (!existsSync(folder)) throw error;
    });
  });
