import { IndexContents } from '../../broker/index/index-contents.js';
import type { IndexContentsChange } from '../../broker/index/index-store.js';
import type { StoredMessage } from '../../schemas/record.js';
import { indexFiles } from './index-files.js';

/** A record without a body. */
export const recordOf = (
  seq: number,
  subject: string,
  headers: Readonly<Record<string, string>>,
): StoredMessage => ({
  seq,
  time: new Date(seq * 1_000).toISOString(),
  timeMs: seq * 1_000,
  subject,
  header: (name) => headers[name],
  data: new Uint8Array(),
});

/** An index that is written, or not, when a step says so, with files that are real. */
export class IndexedContents implements AsyncDisposable {
  readonly files = indexFiles();
  contents = this.#opened();
  #taken: IndexContentsChange | undefined;
  #isCommitted = false;

  #opened(): IndexContents {
    const contents = new IndexContents(this.files.rows);
    contents.load();
    return contents;
  }

  take(): void {
    this.#taken ??= this.contents.take();
  }

  committed(): void {
    if (this.#taken === undefined || this.#isCommitted) return;
    this.files.commit(this.#taken);
    this.#isCommitted = true;
  }

  kept(): void {
    if (this.#taken === undefined) return;
    this.committed();
    this.contents.kept();
    this.#taken = undefined;
    this.#isCommitted = false;
  }

  failed(): void {
    if (this.#taken === undefined || this.#isCommitted) return;
    this.contents.putBack();
    this.#taken = undefined;
  }

  /** An orderly end, and another process. */
  restart(): void {
    this.kept();
    this.take();
    this.kept();
    this.contents = this.#opened();
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.files[Symbol.asyncDispose]();
  }
}

/** The steps of a generated test that write the index, or do not. */
export const writeSteps = (indexed: IndexedContents) => ({
  take: () => indexed.take(),
  committed: () => indexed.committed(),
  kept: () => indexed.kept(),
  failed: () => indexed.failed(),
  restart: () => indexed.restart(),
});
