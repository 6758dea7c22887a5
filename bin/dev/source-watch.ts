import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';

/** An editor writes one save in several steps: it empties the file first, or renames another one. */
const SETTLE_MS = 20;
/** A program that writes all the time must not hold up a save. */
const LONGEST_MS = 200;

const isDirectory = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** The folder itself, or the nearest existing one above it. */
const existing = (folder: string): string =>
  isDirectory(folder) || dirname(folder) === folder ? folder : existing(dirname(folder));

/**
 * chokidar does not notice when a folder is removed and comes back within some milliseconds: it watches the one that is
 * gone. So we look at the folders ourselves, too.
 */
const LOOK_MS = 500;

/** Which folder is at this path; another one that is made later has another identity. Undefined: none. */
const identityOf = (folder: string): string | undefined => {
  const found = statSync(folder, { throwIfNoEntry: false, bigint: true });
  return found?.isDirectory() === true ? `${found.dev}:${found.ino}:${found.birthtimeNs}` : undefined;
};

/** When a file got its contents or its name; 0 if it is not there. */
const changedMs = (path: string): number => statSync(path, { throwIfNoEntry: false })?.ctimeMs ?? 0;

/**
 * Watches the folders of files, and not the files: an editor that saves by a rename puts another file in the place of
 * the one that was watched. Changes that come together are reported together.
 */
export class SourceWatch {
  #watcher: FSWatcher;
  readonly #looks: NodeJS.Timeout;
  /** Which folder chokidar was told to watch, by its path. */
  readonly #identities = new Map<string, string | undefined>();
  #lookedAtMs = Date.now();
  /** By folder: the time from which changes count, milliseconds since 1970. */
  readonly #folders = new Map<string, number>();
  /** Folders that are not there: they were removed, or an import names a folder that is still missing. */
  readonly #lost = new Set<string>();
  #changed = new Set<string>();
  /** When the first change of those came, by the clock of `performance.now()`. */
  #since = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly onChanged: (paths: ReadonlySet<string>, sinceMs: number) => void) {
    this.#watcher = this.#newWatcher();
    this.#looks = setInterval(() => this.#look(), LOOK_MS).unref();
  }

  /** Watches the folders of these paths too. `sinceMs`: changes from then on count, milliseconds since 1970. */
  add(paths: Iterable<string>, sinceMs: number): void {
    for (const path of paths) {
      for (const folder of isDirectory(path) ? [path, dirname(path)] : [dirname(path)]) {
        if (this.#folders.has(folder)) continue;
        this.#folders.set(folder, Math.floor(sinceMs));
        this.#identities.set(folder, identityOf(folder));
        if (isDirectory(folder)) this.#watcher.add(folder);
        else this.#lost.add(folder);
      }
    }
    this.#seekLost();
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    clearInterval(this.#looks);
    await this.#watcher.close();
  }

  #newWatcher(): FSWatcher {
    const watcher = watch([], { depth: 0 });
    watcher.on('all', (event, path) => {
      if (event === 'add' && changedMs(path) < (this.#folders.get(dirname(path)) ?? 0)) return;
      if (event === 'unlinkDir' && this.#folders.has(path)) this.#lost.add(path);
      if (event === 'unlinkDir' || event === 'addDir') this.#seekLost();
      if (event !== 'addDir' || !this.#folders.has(path)) this.#note(path);
    });
    // A folder that cannot be read has no changes. The build tells what is wrong with its files.
    watcher.on('error', () => undefined);
    return watcher;
  }

  /** Watches everything with a new watcher if another folder is at a path. Changes since the look before count. */
  #look(): void {
    const lookedAtMs = this.#lookedAtMs;
    this.#lookedAtMs = Date.now();
    let isOther = false;
    for (const [folder, before] of this.#identities) {
      const identity = identityOf(folder);
      if (identity === before) continue;
      this.#identities.set(folder, identity);
      if (identity === undefined) this.#lost.add(folder);
      else isOther = true;
    }
    if (!isOther) return;
    void this.#watcher.close();
    this.#watcher = this.#newWatcher();
    for (const folder of this.#folders.keys()) {
      this.#folders.set(folder, lookedAtMs - LOOK_MS);
      if (isDirectory(folder)) this.#watcher.add(folder);
      else this.#lost.add(folder);
    }
    this.#seekLost();
  }

  /** Watches a folder that was not there and is now, for example with another branch. */
  #seekLost(): void {
    for (const folder of this.#lost) {
      this.#watcher.add(existing(folder));
      if (isDirectory(folder)) this.#lost.delete(folder);
    }
  }

  #note(path: string): void {
    if (this.#changed.size === 0) this.#since = performance.now();
    this.#changed.add(path);
    clearTimeout(this.#timer);
    const leftMs = Math.max(0, this.#since + LONGEST_MS - performance.now());
    this.#timer = setTimeout(() => this.#report(), Math.min(SETTLE_MS, leftMs));
  }

  #report(): void {
    const paths = this.#changed;
    this.#changed = new Set();
    this.onChanged(paths, this.#since);
  }
}
