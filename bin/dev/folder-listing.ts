import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** An entry of a folder: another value of `version` means that it was written, replaced or removed and made again. */
interface Entry {
  readonly version: string;
  /** When it got its contents or its name, milliseconds since 1970. */
  readonly changedMs: number;
}

/** The entries of a folder by absolute path. Empty if the folder cannot be read. */
export type Listing = ReadonlyMap<string, Entry>;

const namesIn = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
};

/** Undefined: it is gone, or nobody can look at it. */
const entryAt = (path: string): Entry | undefined => {
  try {
    const found = statSync(path, { bigint: true });
    const changedMs = Number(found.ctimeNs / 1_000_000n);
    // A folder changes with its entries, which are not those of this listing.
    if (!found.isFile()) return { version: 'no file', changedMs };
    return { version: [found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs].join(':'), changedMs };
  } catch {
    return undefined;
  }
};

export const listFolder = (folder: string): Listing => {
  const entries = new Map<string, Entry>();
  for (const name of namesIn(folder)) {
    const path = join(folder, name);
    const entry = entryAt(path);
    if (entry !== undefined) entries.set(path, entry);
  }
  return entries;
};

/** The paths that were written, made or removed between two listings of a folder. */
export const changedPaths = (before: Listing, now: Listing): readonly string[] => [
  ...[...now].filter(([path, { version }]) => before.get(path)?.version !== version).map(([path]) => path),
  ...[...before.keys()].filter((path) => !now.has(path)),
];
