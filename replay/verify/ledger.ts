import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { type Fault, fault, toFault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { ByteHash } from './byte-hash.js';
import type { Findings } from './findings.js';
import { headerFound, subjectFound } from './found-value.js';
import { CLAIM, claimsOf, entryText, readEntry } from './ledger-line.js';
import { KIND, type RecordView } from './record-view.js';
import { SortedRuns } from './sorted-runs.js';
import { textLines } from './text-lines.js';

/** A line that the log does not confirm. */
interface Problem {
  readonly kind: 'missing' | 'duplicated';
  readonly seq: number;
  readonly line: number;
  readonly detail: string;
}

/**
 * The ledger of an outside producer, compared with the log. The lines may come in any order: they are
 * sorted by sequence first, on disk where there are many, so memory does not grow with them.
 */
export class Ledger implements Disposable {
  readonly #problems: Problem[] = [];
  #found = { missing: 0, duplicated: 0 };
  readonly #marks: number[] = [];
  readonly #hash = new ByteHash();
  #lines = 0;
  #outside = 0;

  private constructor(
    private readonly path: string,
    private readonly runs: SortedRuns,
    private readonly listed: number,
  ) {}

  /** LEDGER_INVALID with the line that is none, USAGE where the file cannot be read. */
  static async read(path: string, listed: number): Promise<Either<Fault, Ledger>> {
    const runs = new SortedRuns();
    const ledger = new Ledger(path, runs, listed);
    try {
      for await (const lines of textLines(path)) {
        for (const [line, text] of lines) {
          const problem = claimsOf(text, line, (seq, mark) => runs.add(seq, mark, line));
          if (problem !== undefined) {
            runs[Symbol.dispose]();
            return left(problem);
          }
          ledger.#lines += 1;
        }
      }
      runs.begin();
      return right(ledger);
    } catch (error) {
      runs[Symbol.dispose]();
      const { code } = error as NodeJS.ErrnoException;
      const text = `the ledger ${path} cannot be read: ${(error as Error).message}`;
      return left(code === undefined ? toFault(error) : fault('USAGE', text));
    }
  }

  get lines(): number {
    return this.#lines;
  }

  /** Lines about sequences before or behind the range. */
  get outside(): number {
    return this.#outside;
  }

  /** What lies before the range is not looked at. */
  skipTo(fromSeq: number): void {
    while (this.runs.seq < fromSeq) {
      this.#outside += 1;
      this.runs.next();
    }
  }

  /** The next record of the log. */
  at(view: RecordView): void {
    const { runs } = this;
    if (runs.seq > view.seq) return;
    this.#passed(view.seq);
    if (runs.seq !== view.seq) return;
    const marks = this.#marksOf(view);
    const said = this.#marks;
    said.length = 0;
    while (runs.seq === view.seq) {
      const { mark } = runs;
      if (!marks.includes(mark)) {
        this.#problem(
          'missing',
          view.seq,
          `is acknowledged at ${view.seq}, where ${subjectFound(view.record)} stands with ${headerFound(view.record, HEADER.id)}`,
        );
      } else if (said.includes(mark)) {
        this.#problem('duplicated', view.seq, `is said twice to be acknowledged at ${view.seq}`);
      }
      said.push(mark);
      runs.next();
    }
  }

  /** The log's range has ended; `isWhole`: so has the log. */
  end(toSeq: number, isWhole: boolean): void {
    this.#passed(toSeq + 1);
    while (this.runs.seq < Number.POSITIVE_INFINITY) {
      if (isWhole)
        this.#problem(
          'missing',
          this.runs.seq,
          `is acknowledged at ${this.runs.seq}, behind the end of the log at ${toSeq}`,
        );
      else this.#outside += 1;
      this.runs.next();
    }
  }

  /** Names what was found by the words of the ledger, which is read again for that. */
  async report(findings: Findings): Promise<void> {
    const wanted = new Map(this.#problems.map(({ line }) => [line, '']));
    if (wanted.size > 0) {
      for await (const lines of textLines(this.path)) {
        for (const [line, text] of lines) if (wanted.has(line)) wanted.set(line, text);
      }
    }
    for (const { kind, seq, line, detail } of this.#problems) {
      const entry = readEntry(wanted.get(line) ?? '', line);
      const what = entry === undefined ? '' : entryText(entry);
      const producer = entry !== undefined && 'id' in entry ? what.slice(0, what.indexOf('.')) : '';
      findings.add(kind, seq, producer, `${what} ${detail} (line ${line} of the ledger)`);
    }
    for (const kind of ['missing', 'duplicated'] as const) {
      const more = this.#found[kind] - this.#problems.filter((each) => each.kind === kind).length;
      for (let i = 0; i < more; i++) findings.add(kind, 0, '', 'more lines of the ledger');
    }
  }

  [Symbol.dispose](): void {
    this.runs[Symbol.dispose]();
  }

  /** Lines about sequences that have no record, below this one. */
  #passed(seq: number): void {
    while (this.runs.seq < seq) {
      this.#problem(
        'missing',
        this.runs.seq,
        `is acknowledged at ${this.runs.seq}, which the log does not have`,
      );
      this.runs.next();
    }
  }

  /** What lines may truly say of a record: its subject, that without the sender, its identity. */
  #marksOf({ words, record, headers, kind, senderFrom }: RecordView): readonly number[] {
    const { subjectFrom, subjectTo } = record;
    const hash = this.#hash;
    const subject = hash.reset(CLAIM.subject).add(words, subjectFrom, subjectTo).value;
    const sent =
      kind === KIND.cmd ? hash.reset(CLAIM.subject).add(words, subjectFrom, senderFrom - 1).value : subject;
    const { producerFrom, producerTo, epoch, n } = headers;
    const idTo = epoch === 0 ? producerFrom : producerTo + `.${epoch}.${n}`.length;
    return [subject, sent, hash.reset(CLAIM.id).add(words, producerFrom, idTo).value];
  }

  #problem(kind: 'missing' | 'duplicated', seq: number, detail: string): void {
    this.#found[kind] += 1;
    if (this.#problems.length < this.listed) this.#problems.push({ kind, seq, line: this.runs.line, detail });
  }
}
