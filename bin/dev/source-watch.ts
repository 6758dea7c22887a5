import { type FSWatcher, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import { identityOf } from '../../system/files/path-identity.js';
import { changedPaths, listFolder, type Listing } from './folder-listing.js';

/**
 * An editor writes one save in several steps: it empties the file first, or renames another one. So a change is
 * reported when two looks, this far apart, saw the same. It is longer than the grain of the times of files.
 */
const SETTLE_MS = 20;
/** A program that writes all the time must not hold up a save. */
const LONGEST_MS = 200;
/** The system tells most changes at once. It tells none of a folder that was replaced, or of the target of a link. */
const LOOK_MS = 500;
/** The system stamps files with a clock that goes in steps: up to 10 ms, with a kernel of 100 ticks a second. */
const GRAIN_MS = 10;

const isDirectory = (path: string): boolean =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;

interface Watched {
  listing: Listing;
  identity: string | undefined;
  hints: FSWatcher | undefined;
}

/**
 * Watches the folders of files, and not the files: an editor that saves by a rename puts another file in the place of
 * the one that was watched. It compares listings of the folders, so no change is lost. What the system tells only says
 * when to look. Changes that come together are reported together.
 */
export class SourceWatch {
  readonly #folders = new Map<string, Watched>();
  readonly #looks: NodeJS.Timeout;
  #changed = new Set<string>();
  /** When the first change of those was seen, by the clock of `performance.now()`. */
  #since = 0;
  #settling: NodeJS.Timeout | undefined;

  constructor(private readonly onChanged: (paths: ReadonlySet<string>, sinceMs: number) => void) {
    this.#looks = setInterval(() => this.#hinted(), LOOK_MS).unref();
  }

  /** Watches the folders of these paths too. `sinceMs`: changes from then on count, milliseconds since 1970. */
  add(paths: Iterable<string>, sinceMs: number): void {
    for (const path of paths)
      for (const folder of isDirectory(path) ? [path, dirname(path)] : [dirname(path)])
        if (!this.#folders.has(folder)) this.#addFolder(folder, sinceMs - GRAIN_MS);
  }

  close(): void {
    clearTimeout(this.#settling);
    clearInterval(this.#looks);
    for (const { hints } of this.#folders.values()) hints?.close();
  }

  #addFolder(folder: string, sinceMs: number): void {
    const watched: Watched = { listing: new Map(), identity: undefined, hints: undefined };
    this.#folders.set(folder, watched);
    // The hints begin first: a change behind the listing gives one.
    this.#renewHints(folder, watched);
    watched.listing = listFolder(folder);
    const recent = [...watched.listing].filter(([, { changedMs }]) => changedMs >= sinceMs);
    if (recent.length > 0) this.#note(recent.map(([path]) => path));
  }

  /** The system goes on watching a folder that is gone, and is silent about the one that took its path. */
  #renewHints(folder: string, watched: Watched): void {
    const identity = isDirectory(folder) ? identityOf(folder) : undefined;
    if (identity === watched.identity) return;
    watched.identity = identity;
    watched.hints?.close();
    watched.hints = identity === undefined ? undefined : this.#hintsOf(folder);
  }

  /** Undefined: the folder cannot be watched, or the system has no watches left. The looks see its changes, later. */
  #hintsOf(folder: string): FSWatcher | undefined {
    try {
      return watch(folder, { persistent: false }, () => this.#hinted()).on('error', () => undefined);
    } catch {
      return undefined;
    }
  }

  #hinted(): void {
    // The next look comes in a moment.
    if (this.#settling === undefined) this.#note(this.#look());
  }

  #look(): readonly string[] {
    return [...this.#folders].flatMap(([folder, watched]) => {
      this.#renewHints(folder, watched);
      const before = watched.listing;
      watched.listing = listFolder(folder);
      return changedPaths(before, watched.listing);
    });
  }

  #note(paths: readonly string[]): void {
    if (paths.length === 0) return;
    if (this.#changed.size === 0) this.#since = performance.now();
    for (const path of paths) this.#changed.add(path);
    this.#settling ??= setTimeout(() => this.#settle(), SETTLE_MS);
  }

  #settle(): void {
    this.#settling = undefined;
    const paths = this.#look();
    if (paths.length > 0 && performance.now() - this.#since < LONGEST_MS) return this.#note(paths);
    this.#report();
    this.#note(paths);
  }

  #report(): void {
    const paths = this.#changed;
    this.#changed = new Set();
    this.onChanged(paths, this.#since);
  }
}
