import { jsonOrText } from '../../schemas/json.js';
import type { Findings } from './findings.js';
import { copyHash, copyHashOf, promisedBy } from './decision.js';
import { KIND, type RecordView } from './record-view.js';
import { SequenceSet } from './sequence-pages.js';

/** What an outcome promises and the log does not have yet. */
export interface Promised {
  /** Sequence of the result. */
  readonly seq: number;
  /** Fingerprint of each copy; 0 where it has come. */
  readonly copies: number[];
  /** How many have not come. */
  left: number;
}

/**
 * I4: what an outcome promises is there, once, behind it and word for word; and nothing is there as a consequence that no
 * outcome promises.
 */
export class Copies {
  /** By the command. */
  readonly promised = new Map<number, Promised>();
  /** Commands whose copies have all come. */
  readonly #complete: SequenceSet;
  /** Copies of outcomes before the range. */
  before = 0;

  constructor(
    private readonly findings: Findings,
    private readonly fromSeq: number,
    private readonly answered: SequenceSet,
  ) {
    this.#complete = new SequenceSet(fromSeq);
  }

  /** The result of an open command. */
  decided({ bytes, record, seq, headers: { cause } }: RecordView): void {
    const copies = promisedBy(bytes, record.dataFrom, record.dataTo);
    if (copies.length > 0) this.promised.set(cause, { seq, copies: copies as number[], left: copies.length });
  }

  /** A record that says that an outcome caused it. */
  copy(view: RecordView): void {
    const { headers, seq, record } = view;
    const { cause, part } = headers;
    if (cause !== 0 && cause < this.fromSeq) {
      this.before += 1;
      return;
    }
    const promised = this.promised.get(cause);
    const expected = promised?.copies[part - 1] ?? 0;
    if (promised === undefined || expected === 0) return this.#unexpected(view, promised);
    promised.copies[part - 1] = 0;
    promised.left -= 1;
    if (promised.left === 0) {
      this.promised.delete(cause);
      this.#complete.add(cause);
    }
    if (this.#isSame(view, expected)) return;
    const detail = (): string =>
      `${record.subject}, copy ${part} of what ${cause} caused, is not what ${promised.seq} decided`;
    this.findings.add('altered', seq, this.#module(view), detail);
  }

  #isSame(view: RecordView, expected: number): boolean {
    const { record, bytes } = view;
    const to = view.kind === KIND.cmd ? view.senderFrom - 1 : record.subjectTo;
    if (copyHash(bytes, record.subjectFrom, to, record.dataFrom, record.dataTo) === expected) return true;
    // A program in another language may set blanks where this one does not.
    const data = JSON.stringify(jsonOrText(record.data));
    return copyHashOf(view.text(record.subjectFrom, to), data) === expected;
  }

  #unexpected(view: RecordView, promised: Promised | undefined): void {
    const { headers, seq, record } = view;
    const { cause, part } = headers;
    const has =
      promised !== undefined ? part >= 1 && part <= promised.copies.length : this.#complete.has(cause);
    if (has) {
      const detail = (): string => `${record.subject}, copy ${part} of what ${cause} caused, is there again`;
      this.findings.add('duplicated', seq, this.#module(view), detail);
      return;
    }
    const why =
      cause === 0 || part === 0
        ? 'does not say which'
        : this.answered.has(cause)
          ? `and the result of ${cause} promises no such copy`
          : `and ${cause} has no result before it`;
    const detail = (): string => `${record.subject} says that a command caused it, ${why}`;
    this.findings.add('orphanEvent', seq, this.#module(view), detail);
  }

  /** Whose copy it is. */
  #module(view: RecordView): string {
    return view.kind === KIND.cmd
      ? view.text(view.senderFrom, view.senderTo)
      : view.text(view.moduleFrom, view.moduleTo);
  }
}
