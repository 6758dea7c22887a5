import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';

/** An editor writes one save in several steps: it empties the file first, or renames another one. */
const SETTLE_MS = 20;
/** A program that writes all the time must not hold up a save. */
const LONGEST_MS = 200;

const isDirectory = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

/** The folder itself, or the nearest one above it that is there. */
const existing = (folder: string): string =>
  isDirectory(folder) || dirname(folder) === folder ? folder : existing(dirname(folder));

/** When a file got its contents or its name; 0 if it is not there. */
const changedMs = (path: string): number => statSync(path, { throwIfNoEntry: false })?.ctimeMs ?? 0;

/**
 * Watches the folders of files, and not the files: an editor that saves by a rename puts another file in the place of
 * the one that was watched. Changes that come together are reported together.
 */
export class SourceWatch {
  readonly #watcher: FSWatcher;
  /** By folder: the time from which changes count, milliseconds since 1970. */
  readonly #folders = new Map<string, number>();
  /** Folders that are not there: they were removed, or an import names a folder that is still missing. */
  readonly #lost = new Set<string>();
  #changed = new Set<string>();
  /** When the first change of those came, by the clock of `performance.now()`. */
  #since = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly onChanged: (paths: ReadonlySet<string>, sinceMs: number) => void) {
    this.#watcher = watch([], { depth: 0 });
    this.#watcher.on('all', (event, path) => {
      if (event === 'add' && changedMs(path) < (this.#folders.get(dirname(path)) ?? 0)) return;
      if (event === 'unlinkDir' && this.#folders.has(path)) this.#lost.add(path);
      if (event === 'unlinkDir' || event === 'addDir') this.#seekLost();
      if (event !== 'addDir' || !this.#folders.has(path)) this.#note(path);
    });
    // A folder that cannot be read has no changes. The build tells what is wrong with its files.
    this.#watcher.on('error', () => undefined);
  }

  /** Watches the folders of these paths too. `sinceMs`: changes from then on count, milliseconds since 1970. */
  add(paths: Iterable<string>, sinceMs: number): void {
    for (const path of paths) {
      for (const folder of isDirectory(path) ? [path, dirname(path)] : [dirname(path)]) {
        if (this.#folders.has(folder)) continue;
        this.#folders.set(folder, Math.floor(sinceMs));
        if (isDirectory(folder)) this.#watcher.add(folder);
        else this.#lost.add(folder);
      }
    }
    this.#seekLost();
  }

  async close(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#watcher.close();
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
