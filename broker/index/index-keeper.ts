import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import * as E from 'fp-ts/lib/Either.js';
import { makeDirs } from '../../system/files/make-dirs.js';
import { type Fault, FaultError, fault } from '../../schemas/errors.js';
import { failPoint } from '../../system/processes/fail-point.js';
import { FreshReads } from '../../store/lmdb/fresh-reads.js';
import { Opening } from '../../store/lmdb/opening.js';
import { checkRoom } from '../../store/lmdb/free-space.js';
import { StoreThread } from '../../store/lmdb/store-thread.js';
import { WriteBehind } from '../../store/lmdb/write-behind.js';
import { isSynced } from '../../store/lmdb/synced-mark.js';
import { whyUnusable } from '../../store/lmdb/why-unusable.js';
import type { IndexContents } from './index-contents.js';
import {
  type FoundPosition,
  type IndexPosition,
  openIndexToRead,
  indexPosition,
} from '../../store/log-index/index-files.js';
import type { IndexChange, IndexContentsChange } from './index-store.js';
import type { KeptRows, ReadableFiles } from './kept-rows.js';
import { pause } from '../../system/async/pause.js';
import { setAsideDerived } from '../../system/files/set-aside.js';

/** Where the index stands in its log. */
export type IndexProgress = Omit<IndexPosition, 'logId'>;

export interface IndexKeeperOptions {
  readonly dir: string;
  /** Identity of the log: an index of another log is thrown away. */
  readonly logId: string;
  /** Where the log ends: an index that is ahead of it is thrown away. */
  readonly lastSeq: number;
  readonly contents: IndexContents;
  /** Reads what the files have, while they hold what the index says. */
  readonly rows: KeptRows;
  /** Where reading stands now. */
  readonly position: () => IndexProgress;
  readonly say: (text: string) => void;
}

type Thread = StoreThread<IndexChange, undefined>;

/** The files while they are open. */
interface Open extends ReadableFiles {
  readonly thread: Thread;
  readonly opening: Opening;
}

const PROGRAM = new URL('./index-worker.js', import.meta.url);

/** How long the first change waits for others to go along. A call that is answered within it is never written. */
const GATHER_MS = 5;
/** Taking together what a group has takes at most one part in so many of the time of the broker … */
const TAKING_SHARE = 32;
/** … but a change waits no longer than this for its turn. */
const MAX_PAUSE_MS = 250;
/** How often data is written that readers do not look for in the files. */
const INTERVAL_MS = 500;
/** How long reading waits for files that cannot be written, once no more fits into memory. */
const PATIENCE_MS = 60_000;
const START: IndexProgress = { seq: 0, uncaused: [] };
const NOTHING: IndexContentsChange = { rows: {}, counts: [] };
/** There from before the files are opened until one group is in them: who dies in LMDB's own code leaves it. */
const TRIAL = 'trial';

/**
 * Keeps what the index has gathered in files that any process reads: written by a thread, in groups that form while
 * the one before is written. All of it is derived from the log: unusable data is made again from there, and where
 * nothing can be written the index works from memory, as long as there is room in it.
 */
export class IndexKeeper {
  #open: Open | undefined;
  /** What is in the files is of no use, and goes with the next group. */
  #startsOver = true;
  /** Until the first group is in the files. */
  #onTrial = false;
  #saved = START;
  /** Until the next group of what readers do not look for. */
  #interval: NodeJS.Timeout | undefined;
  readonly #writer: WriteBehind;
  #pauseUntil = 0;
  /** Until it is opened, and again when it is closed. */
  #closed = true;

  constructor(private readonly options: IndexKeeperOptions) {
    const { dir, say, contents } = options;
    contents.whenChanged(() => this.#soon());
    this.#writer = new WriteBehind({
      write: (all) => this.#save(all),
      onFailing: (reason) => say(`DATA_DIR_UNUSABLE: ${dir} ${reason}`),
      onWorking: () => say('the index is written again'),
    });
  }

  /** Opens the files and takes in what they have: where they stand, and whether what was there is thrown away. */
  async open(): Promise<IndexProgress & { readonly discarded: boolean }> {
    const { logId, lastSeq, say } = this.options;
    this.#closed = false;
    const opened = await this.#openFiles();
    if (E.isLeft(opened)) this.#writer.failed(opened.left);
    const found = E.isLeft(opened) ? 'none' : opened.right;
    if (found === 'unreadable')
      say('the index is of another version, or damaged, and is read from the log again');
    const isPlace = typeof found === 'object';
    const fits = isPlace && found.logId === logId && found.seq <= lastSeq;
    const discarded = isPlace && !fits;
    if (discarded) say('the index was of another log, or ahead of this one, and is read from the log again');
    const place = fits ? found : START;
    this.#startsOver = place === START;
    this.#showFiles();
    if (this.#open !== undefined) {
      // Those who look must not see what is thrown away, and files that cannot be written to are found out here.
      const begun = await this.#commit(this.#open, NOTHING, place);
      if (E.isLeft(begun)) this.#writer.failed(begun.left);
    }
    this.options.contents.load();
    this.moved();
    return { ...place, discarded };
  }

  /**
   * Resolves when more may be gathered. Throws DATA_DIR_UNUSABLE where the files cannot be written for so long that
   * no more fits into memory.
   */
  async room(): Promise<void> {
    const { contents } = this.options;
    const until = performance.now() + PATIENCE_MS;
    while (contents.isFull && !this.#closed) {
      await this.#writer.idle();
      if (!contents.isFull) return;
      if (!this.#writer.isFailing) await this.#writer.flush();
      else if (!contents.isFullWithoutFiles) return;
      else if (performance.now() > until) throw new FaultError(this.#outOfRoom());
      else await pause(INTERVAL_MS);
    }
  }

  /** The index has read further: where it stands is in the files within {@link INTERVAL_MS}. */
  moved(): void {
    if (this.#closed) return;
    this.#interval ??= setTimeout(() => void this.#tick(), INTERVAL_MS).unref();
  }

  /** Something is to be found in the files within milliseconds. */
  #soon(): void {
    if (this.#closed || this.#writer.isPlanned) return;
    this.#writer.within(Math.max(GATHER_MS, this.#pauseUntil - performance.now()));
  }

  /** Writes what is not written, and stops. */
  async close(): Promise<void> {
    clearTimeout(this.#interval);
    await this.#writer.close();
    this.#closed = true;
    await this.#closeFiles();
  }

  async #tick(): Promise<void> {
    const { isWriting, isFailing } = this.#writer;
    if (!isWriting && !isFailing && performance.now() >= this.#pauseUntil) await this.#writer.flush();
    this.#interval = undefined;
    if (this.options.position().seq > this.#saved.seq) this.moved();
  }

  /** Without `all`, rows are to be written: if they have all ended meanwhile, they need no group. */
  #save(all: boolean): Promise<E.Either<string, void>> | undefined {
    if (this.#closed) return undefined;
    const { contents, position } = this.options;
    const isBehind = position().seq > this.#saved.seq || this.#startsOver;
    const isNeeded = contents.changes > 0 || (isBehind && (all || this.#writer.isFailing));
    return isNeeded || this.#open === undefined ? this.#write() : undefined;
  }

  async #write(): Promise<E.Either<string, void>> {
    const { contents, position } = this.options;
    if (this.#open === undefined) {
      const opened = await this.#openFiles();
      if (E.isLeft(opened)) return opened;
    }
    const at = position();
    const begun = performance.now();
    const change = contents.take();
    this.#pauseUntil = begun + Math.min(MAX_PAUSE_MS, (performance.now() - begun) * TAKING_SHARE);
    failPoint('index.saving');
    const outcome = await this.#commit(this.#open as Open, change, at);
    failPoint('index.saved');
    if (contents.changes > 0) this.#writer.within(Math.max(GATHER_MS, this.#pauseUntil - performance.now()));
    return outcome;
  }

  async #commit(
    { thread }: Open,
    change: IndexContentsChange,
    at: IndexProgress,
  ): Promise<E.Either<string, void>> {
    const { contents, dir, logId } = this.options;
    const position = { ...at, logId };
    const outcome = await thread.commit({ ...change, startsOver: this.#startsOver, position });
    if (E.isLeft(outcome)) {
      if (change !== NOTHING) contents.putBack();
      return E.left(`cannot be written: ${outcome.left}`);
    }
    if (change !== NOTHING) contents.kept();
    this.#saved = at;
    this.#startsOver = false;
    this.#showFiles();
    if (this.#onTrial) rmSync(join(dir, TRIAL), { force: true });
    this.#onTrial = false;
    return outcome;
  }

  /** Opens the files, sets those aside that must not be opened; where they stand. */
  async #openFiles(): Promise<E.Either<string, FoundPosition>> {
    const { dir, say } = this.options;
    let thread: Thread | undefined;
    try {
      makeDirs(dir);
      checkRoom(dir);
      const why = existsSync(join(dir, TRIAL))
        ? 'the last process that opened it ended during that'
        : whyUnusable(dir);
      if (why !== undefined && existsSync(join(dir, 'data.mdb'))) this.#setAside(why);
      const wasKilled = !isSynced(dir);
      writeFileSync(join(dir, TRIAL), '');
      this.#onTrial = true;
      const opened = await StoreThread.open<IndexChange, undefined>(PROGRAM, { dir, wasKilled }, say);
      if (E.isLeft(opened)) throw new Error(opened.left);
      thread = opened.right;
      // The thread has the database open already, and nothing is written yet: here it is only joined.
      const opening = new Opening(dir);
      const files = openIndexToRead(opening, dir);
      this.#open = { thread, opening, files, reads: new FreshReads(files.root) };
      this.#showFiles();
      return E.right(indexPosition(files));
    } catch (error) {
      if (this.#open === undefined) await thread?.close();
      else await this.#closeFiles();
      const { message } = error as Error;
      return E.left(`cannot be opened, and the index works from memory: ${message}`);
    }
  }

  async #closeFiles(): Promise<void> {
    const open = this.#open;
    this.#open = undefined;
    this.#showFiles();
    if (open === undefined) return;
    open.reads.close();
    await open.files.root.close();
    await open.opening.close();
    await open.thread.close();
  }

  /** Has the rows read the files if they hold what the index says: not files that are thrown away. */
  #showFiles(): void {
    this.options.rows.readFrom(this.#startsOver ? undefined : this.#open);
  }

  #setAside(why: string): void {
    const { dir, say } = this.options;
    const aside = setAsideDerived(dir, { oldName: `${basename(dir)}.damaged` });
    mkdirSync(dir, { mode: 0o700 });
    say(`${why}: the index is kept as ${aside} and read from the log again`);
  }

  #outOfRoom(): Fault {
    const { dir } = this.options;
    const text = `${dir} could not be written for ${PATIENCE_MS / 1_000} s, and memory has no room for more: make room on its disk`;
    return fault('DATA_DIR_UNUSABLE', text);
  }
}
