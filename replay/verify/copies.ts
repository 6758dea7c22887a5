import { HEADER } from '../../schemas/headers.js';
import { promisedCopies } from '../../schemas/result-bytes.js';
import type { Findings } from './findings.js';
import { headerFound, quoted, subjectFound } from './found-value.js';
import { copyHash, FORBIDDEN, promisedBy } from './decision.js';
import { KIND, type RecordView } from './record-view.js';
import { SequencePages, SequenceSet } from './sequence-pages.js';

/** What an outcome of several copies promises and the log does not have yet. */
interface Several {
  /** Sequence of the result. */
  readonly seq: number;
  /** Fingerprint of each copy; 0 where it has come. */
  readonly copies: number[];
  /** How many have not come. */
  left: number;
}

/** A copy that is promised and not there. */
export interface Missing {
  readonly cause: number;
  /** Sequence of the result. */
  readonly decision: number;
  readonly part: number;
  readonly parts: number;
}

/** A copy whose bytes are not those that were decided. */
export interface Differing {
  readonly seq: number;
  readonly cause: number;
  /** Sequence of the result. */
  readonly decision: number;
  readonly part: number;
}

/**
 * I4: what an outcome promises is there, once, behind it and word for word; and nothing is there as a consequence
 * that no outcome promises.
 */
export class Copies {
  // By the command. Most outcomes have one copy: of those its fingerprint is kept, and where they were decided.
  readonly #single = new SequencePages(true);
  readonly #several = new Map<number, Several>();
  // Commands whose copies have all come: the one that there was, and all of several.
  readonly #hadOne: SequenceSet;
  readonly #hadSeveral: SequenceSet;
  /** Copies of outcomes before the range. */
  before = 0;
  /** Copies that are not their outcomes' bytes: whether they say the same is seen when all has been read. */
  readonly differing: Differing[] = [];

  constructor(
    private readonly findings: Findings,
    private readonly fromSeq: number,
    private readonly answered: SequenceSet,
  ) {
    this.#hadOne = new SequenceSet(fromSeq);
    this.#hadSeveral = new SequenceSet(fromSeq);
  }

  /** The result of an open command. */
  decided(view: RecordView): void {
    const { bytes, words, record, seq, moduleFrom, moduleTo } = view;
    const { cause } = view.headers;
    const module = { bytes, from: moduleFrom, to: moduleTo };
    const copies = promisedBy(bytes, words, record.dataFrom, record.dataTo, module);
    if (copies.includes(FORBIDDEN)) this.#decidedForbidden(view, copies);
    else if (copies.length === 1) {
      this.#single.set(cause, copies[0] as number, seq);
    } else if (copies.length > 1) {
      this.#several.set(cause, { seq, copies: copies as number[], left: copies.length });
    }
  }

  /** Outcomes that lack a copy. */
  get open(): number {
    return this.#single.size + this.#several.size;
  }

  isOpen(cause: number): boolean {
    return this.#single.get(cause) !== 0 || this.#several.has(cause);
  }

  /** The copies that have not come. */
  *missing(): Generator<Missing> {
    for (const cause of this.#single.sequences())
      yield { cause, decision: this.#single.detail(cause), part: 1, parts: 1 };
    for (const [cause, { seq, copies }] of this.#several) {
      for (const [index, copy] of copies.entries())
        if (copy !== 0) yield { cause, decision: seq, part: index + 1, parts: copies.length };
    }
  }

  /** A record that says that an outcome caused it. */
  copy(view: RecordView): void {
    const { cause, part } = view.headers;
    if (cause !== 0 && cause < this.fromSeq) {
      this.before += 1;
      return;
    }
    const single = cause === 0 ? 0 : this.#single.get(cause);
    if (single !== 0 && part === 1) {
      const decision = this.#single.detail(cause);
      this.#single.clear(cause);
      this.#hadOne.add(cause);
      if (!this.#isSame(view, single)) this.#differs(view, decision);
      return;
    }
    const several = single === 0 ? this.#several.get(cause) : undefined;
    const expected = several?.copies[part - 1] ?? 0;
    if (several === undefined || expected === 0) return this.#unexpected(view, several);
    several.copies[part - 1] = 0;
    several.left -= 1;
    if (several.left === 0) {
      this.#several.delete(cause);
      this.#hadSeveral.add(cause);
    }
    if (!this.#isSame(view, expected)) this.#differs(view, several.seq);
  }

  /** What a module may not have is never stored: it is a finding of the result alone. */
  #decidedForbidden(view: RecordView, copies: readonly number[]): void {
    const { cause } = view.headers;
    const expected = copies.map((copy) => (copy === FORBIDDEN ? 0 : copy));
    const left = expected.filter((copy) => copy !== 0).length;
    if (left > 0) this.#several.set(cause, { seq: view.seq, copies: expected, left });
    for (const [index, copy] of copies.entries()) {
      if (copy !== FORBIDDEN) continue;
      const module = this.#module(view);
      const { data } = view.record;
      const detail = (): string => {
        const subject = quoted(promisedCopies(data)[index]?.subject ?? '');
        return `the result of ${cause} promises copy ${index + 1} on ${subject}, which ${module} may not write`;
      };
      this.findings.add('forbidden', view.seq, module, detail);
    }
  }

  #differs({ seq, headers: { cause, part } }: RecordView, decision: number): void {
    this.differing.push({ seq, cause, decision, part });
  }

  #isSame(view: RecordView, expected: number): boolean {
    const { record, words } = view;
    const to = view.kind === KIND.cmd ? view.senderFrom - 1 : record.subjectTo;
    return copyHash(words, record.subjectFrom, to, record.dataFrom, record.dataTo) === expected;
  }

  #unexpected(view: RecordView, several: Several | undefined): void {
    const { headers, seq, record } = view;
    const { cause, part } = headers;
    const has =
      several === undefined
        ? (part === 1 && this.#hadOne.has(cause)) || (part > 0 && this.#hadSeveral.has(cause))
        : part >= 1 && part <= several.copies.length;
    if (has) {
      const detail = (): string =>
        `${subjectFound(record)}, copy ${part} of what ${cause} caused, is there again`;
      this.findings.add('duplicated', seq, this.#module(view), detail);
      return;
    }
    const why =
      cause === 0
        ? ': the cause is no sequence'
        : cause >= seq
          ? `: ${cause} is not before it`
          : !this.answered.has(cause)
            ? `: ${cause} has no result before it`
            : part === 0
              ? `: which copy of what ${cause} caused, it does not say`
              : `: the result of ${cause} promises no copy ${part}`;
    const detail = (): string =>
      `${subjectFound(record)} has ${headerFound(record, HEADER.cause)} and ${headerFound(record, HEADER.part)}${why}`;
    this.findings.add('orphanEvent', seq, this.#module(view), detail);
  }

  /** Whose copy it is. */
  #module(view: RecordView): string {
    return view.kind === KIND.cmd
      ? view.text(view.senderFrom, view.senderTo)
      : view.text(view.moduleFrom, view.moduleTo);
  }
}
