import { readdirSync, renameSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

const MARK = '.damaged-';

/**
 * Renames a file or a directory that cannot be used to `NAME.damaged-TIME`, so that a person can look at it. Returns
 * the new path. Throws when it cannot be renamed.
 */
export const setAside = (path: string): string => {
  const aside = `${path}${MARK}${Date.now()}`;
  renameSync(path, aside);
  return aside;
};

export interface Derived {
  /** Names in the same directory that were set aside for the same purpose; without it, the name of the path. */
  readonly isOriginal?: (name: string) => boolean;
  /** What an earlier version called it. */
  readonly oldName: string;
}

/**
 * The same for what can be made again from the log. Only the newest one is kept: these are large, and one that comes
 * again and again would fill the disk.
 */
export const setAsideDerived = (path: string, { isOriginal, oldName }: Derived): string => {
  const dir = dirname(path);
  const isSame = isOriginal ?? ((name: string) => name === basename(path));
  for (const name of readdirSync(dir)) {
    const at = name.lastIndexOf(MARK);
    if (name === oldName || (at > 0 && isSame(name.slice(0, at))))
      rmSync(join(dir, name), { recursive: true, force: true });
  }
  return setAside(path);
};
