import { existsSync } from 'node:fs';

/**
 * Which source file has which module name, in one run of dev. A name has one file. Another file with that name is
 * refused, and gets the name as soon as it is free.
 */
export class SourceNames {
  /** The file of each name, by the last good build of that file. */
  readonly #files = new Map<string, string>();
  /** The name that a refused file wants, by file. */
  readonly #refused = new Map<string, string>();

  /** `onFree`: a file was refused a name that is free now. */
  constructor(private readonly onFree: (file: string) => void) {}

  /** Whether the file has the name. */
  has(name: string, file: string): boolean {
    return this.#files.get(name) === file;
  }

  /** Gives the name to the file. Returns the file that has the name, if that is another one. */
  take(name: string, file: string): string | undefined {
    const holder = this.#files.get(name);
    const isTaken = holder !== undefined && holder !== file && existsSync(holder);
    if (isTaken) this.#refused.set(file, name);
    else {
      this.#refused.delete(file);
      this.#files.set(name, file);
    }
    // Also a refused file gives up its earlier name: two files may swap their names.
    for (const [other, of] of this.#files) if (of === file && other !== name) this.#free(other);
    return isTaken ? holder : undefined;
  }

  /** The file is gone. It keeps its name if it comes back before another file takes the name. */
  gone(file: string): void {
    this.#refused.delete(file);
    for (const [name, of] of this.#files) if (of === file) this.#tellFree(name);
  }

  #free(name: string): void {
    this.#files.delete(name);
    this.#tellFree(name);
  }

  #tellFree(name: string): void {
    for (const [file, wanted] of this.#refused) if (wanted === name) this.onFree(file);
  }
}
