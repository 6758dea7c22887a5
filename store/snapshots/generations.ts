import { readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirs } from '../../system/files/make-dirs.js';
import { replaceFileSync } from '../../system/files/durable-file.js';

const NAME = /^g([1-9]\d*)$/;
const CURRENT = 'current';

/** Whether a database of snapshots is called so. */
export const isGeneration = (name: string): boolean => NAME.test(name);

const numberOf = (name: string): number => Number(NAME.exec(name)?.[1] ?? 0);

/**
 * The databases of one module's snapshots, next to each other: `g1`, `g2` … in its directory, and a file `current` that
 * names the one that readers are to open. A new fold of the states goes into a new one while readers have the old; the
 * rename of that file is the moment at which they change over.
 */
export class Generations {
  constructor(readonly dir: string) {}

  /** The one that readers open; undefined when there is none. */
  get current(): string | undefined {
    try {
      const name = readFileSync(join(this.dir, CURRENT), 'utf8').trim();
      return NAME.test(name) ? name : undefined;
    } catch {
      return undefined;
    }
  }

  /** Changes whenever another one is published; two calls in a row with one answer mean that none was. */
  get mark(): number {
    return statSync(join(this.dir, CURRENT), { throwIfNoEntry: false })?.ino ?? 0;
  }

  path(name: string): string {
    return join(this.dir, name);
  }

  /** The newest, whether published or not; undefined when there is none. */
  get newest(): string | undefined {
    return this.#all().at(-1);
  }

  /** Makes an empty directory for the next one. */
  begin(): string {
    const name = `g${numberOf(this.newest ?? '') + 1}`;
    makeDirs(this.path(name));
    return name;
  }

  /** Takes in a finished one that another process built. It is used from the module's next start on. */
  adopt(path: string): string {
    const name = this.begin();
    renameSync(path, this.path(name));
    return name;
  }

  /** Readers open this one from now on. */
  publish(name: string): void {
    replaceFileSync(join(this.dir, CURRENT), `${name}\n`);
  }

  /** Readers find none: what there is must not be shown. */
  withdraw(): void {
    rmSync(join(this.dir, CURRENT), { force: true });
  }

  /** Removes all but one. A reader that has another one open can still read it. */
  prune(keep: string): void {
    for (const name of this.#all()) {
      if (name !== keep) rmSync(this.path(name), { recursive: true, force: true });
    }
  }

  #all(): readonly string[] {
    try {
      return readdirSync(this.dir)
        .filter(isGeneration)
        .sort((a, b) => numberOf(a) - numberOf(b));
    } catch {
      return [];
    }
  }
}
