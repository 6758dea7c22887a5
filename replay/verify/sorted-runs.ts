import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Entries that are sorted in memory at a time: 24 MB. */
const RUN = 1_000_000;
const FIELDS = 3;
/** Entries of a run on disk that are read at a time. */
const PAGE = 4_096;

/** A part of what is sorted, in order, from memory or from a file. */
class SortedRun {
  #at = 0;
  #left: number;

  constructor(
    private readonly page: Float64Array,
    private readonly file: number | undefined,
    count: number,
  ) {
    this.#left = count;
    this.#at = file === undefined ? 0 : page.length;
    this.#fill();
  }

  get isOver(): boolean {
    return this.#left === 0;
  }

  get seq(): number {
    return this.page[this.#at] as number;
  }
  get mark(): number {
    return this.page[this.#at + 1] as number;
  }
  get line(): number {
    return this.page[this.#at + 2] as number;
  }

  next(): void {
    this.#left -= 1;
    this.#at += FIELDS;
    this.#fill();
  }

  #fill(): void {
    if (this.file === undefined || this.#left === 0 || this.#at < this.page.length) return;
    const bytes = Math.min(this.#left, PAGE) * FIELDS * 8;
    readSync(this.file, this.page, 0, bytes, null);
    this.#at = 0;
  }
}

/**
 * Sorts entries (a sequence, a mark, a line) by sequence, however many: what does not fit in memory lies in files
 * that go with this. First all are added, then they are read.
 */
export class SortedRuns implements Disposable {
  #entries = new Float64Array(RUN * FIELDS);
  #count = 0;
  #isSorted = true;
  #dir: string | undefined;
  readonly #files: number[] = [];
  #runs: SortedRun[] = [];
  #first: SortedRun | undefined;

  add(seq: number, mark: number, line: number): void {
    if (this.#count === RUN) this.#spill();
    const entries = this.#entries;
    const at = this.#count * FIELDS;
    if (at > 0 && (entries[at - FIELDS] as number) > seq) this.#isSorted = false;
    entries[at] = seq;
    entries[at + 1] = mark;
    entries[at + 2] = line;
    this.#count += 1;
  }

  /** No more are added. */
  begin(): void {
    this.#sort();
    const files = this.#files.map((file) => new SortedRun(new Float64Array(PAGE * FIELDS), file, RUN));
    // A file is read from where it stands, and was written to its end.
    this.#runs = [
      ...files,
      new SortedRun(this.#entries.slice(0, this.#count * FIELDS), undefined, this.#count),
    ];
    this.#entries = new Float64Array(0);
    this.#choose();
  }

  /** The sequence of the entry that is next; Infinity behind the last. */
  get seq(): number {
    return this.#first?.seq ?? Number.POSITIVE_INFINITY;
  }
  get mark(): number {
    return this.#first?.mark ?? 0;
  }
  get line(): number {
    return this.#first?.line ?? 0;
  }

  next(): void {
    this.#first?.next();
    this.#choose();
  }

  [Symbol.dispose](): void {
    for (const file of this.#files.splice(0)) closeSync(file);
    if (this.#dir !== undefined) rmSync(this.#dir, { recursive: true, force: true });
    this.#dir = undefined;
  }

  #choose(): void {
    this.#first = undefined;
    for (const run of this.#runs) {
      if (!run.isOver && (this.#first === undefined || run.seq < this.#first.seq)) this.#first = run;
    }
  }

  #sort(): void {
    if (this.#isSorted) return;
    const old = this.#entries;
    const order = new Uint32Array(this.#count).map((_, i) => i);
    order.sort((a, b) => (old[a * FIELDS] as number) - (old[b * FIELDS] as number) || a - b);
    const sorted = new Float64Array(RUN * FIELDS);
    for (const [to, from] of order.entries()) {
      for (let field = 0; field < FIELDS; field++)
        sorted[to * FIELDS + field] = old[from * FIELDS + field] as number;
    }
    this.#entries = sorted;
    this.#isSorted = true;
  }

  #spill(): void {
    this.#sort();
    this.#dir ??= mkdtempSync(join(tmpdir(), 'tallystick-ledger-'));
    const path = join(this.#dir, `${this.#files.length}`);
    const written = openSync(path, 'wx', 0o600);
    writeSync(written, this.#entries);
    closeSync(written);
    this.#files.push(openSync(path, 'r'));
    this.#count = 0;
    this.#isSorted = true;
  }
}
