import type { Key, RootDatabase } from 'lmdb';
import type { FaultError } from '../../schemas/errors.js';
import { FreshReads } from './fresh-reads.js';
import { Opening } from './opening.js';
import { whyUnusable } from './why-unusable.js';

/** Where the files of a database are that another process writes, and how they are opened. */
export interface FilesPlace<Files> {
  /** Differs whenever other files are to be read than before; 0 when there are none. */
  readonly mark: () => number;
  /** The directory that they are in now. Throws where there are none. */
  readonly dir: () => string;
  readonly open: (opening: Opening, dir: string) => Files;
  /** What is thrown where they cannot be read. */
  readonly unavailable: (why: string) => FaultError;
}

type Opened<Files> = Files & { readonly mark: number; readonly reads: FreshReads };

/** How long it may go unnoticed that other files are to be read. */
const LOOK_MS = 100;

/**
 * A database that another process writes, open to be read: no message is sent, no writer is waited for or held up, and
 * where others have taken the place of the files those are opened.
 */
export class FilesToRead<Files extends { readonly root: RootDatabase<unknown, Key> }> {
  #opened: Opened<Files> | undefined;
  #lookAt = 0;

  constructor(private readonly place: FilesPlace<Files>) {}

  /** The files that are to be read now; to be asked before each read. */
  now(): Opened<Files> {
    const now = performance.now();
    if (this.#opened !== undefined && now < this.#lookAt) return this.#opened;
    const mark = this.place.mark();
    if (this.#opened?.mark !== mark || mark === 0) {
      void this.close();
      this.#opened = this.#open(mark);
    }
    this.#lookAt = now + LOOK_MS;
    return this.#opened as Opened<Files>;
  }

  async close(): Promise<void> {
    const opened = this.#opened;
    this.#opened = undefined;
    if (opened === undefined) return;
    opened.reads.close();
    await opened.root.close();
  }

  #open(mark: number): Opened<Files> {
    const dir = this.place.dir();
    const why = whyUnusable(dir);
    if (why !== undefined) throw this.place.unavailable(why);
    try {
      const opening = new Opening(dir);
      const files = this.place.open(opening, dir);
      void opening.close();
      return { ...files, mark, reads: new FreshReads(files.root) };
    } catch (error) {
      throw this.place.unavailable((error as Error).message);
    }
  }
}
