import { HEADER } from '../../schemas/headers.js';
import { parseIdentity, parsePart } from '../../schemas/identity.js';
import { causeOf, conversationOf, type StoredMessage } from '../../schemas/record.js';
import { type PromisedCopy, promisedCopies } from '../../schemas/result-bytes.js';
import { splitSubject } from '../../schemas/subjects.js';
import type { Copy } from './copy-draft.js';
import { SparseSequences } from '../wire/sparse-sequences.js';

interface DecidedOutcome {
  /** Sequence of the result, and its subject. */
  readonly decision: number;
  readonly subject: string;
  readonly conversation: number;
  readonly schema: string | undefined;
  readonly out: readonly PromisedCopy[];
  readonly present: Set<number>;
}

/** A copy that a result promises and the log does not have. */
export interface MissingCopy {
  /** Sequence of the result. */
  readonly decision: number;
  /** Subject of the result. */
  readonly result: string;
  readonly copy: Copy;
}

/**
 * What a module left behind, folded from its part of the log: which outcomes lack copies. Start it where all outcomes
 * before have theirs. It takes a bit for each command that was answered, and more for those alone that lack copies.
 */
export class ModuleRecovery {
  readonly #answered = new SparseSequences();
  readonly #incomplete = new Map<number, DecidedOutcome>();

  constructor(private readonly module: string) {}

  add(message: StoredMessage): void {
    const subject = splitSubject(message.subject);
    if (subject === undefined || subject.kind === 'epoch') return;
    const cause = causeOf(message);
    if (cause === undefined) return;
    if (subject.kind === 'res') {
      if (subject.module === this.module) this.#outcome(cause, message);
    } else if (isWrittenBy(message, this.module)) {
      this.#copy(cause, message.header(HEADER.part));
    }
  }

  /**
   * The copies that outcomes promise and the log does not have, in the order in which their outcomes were decided, as
   * they would have been stored. That is the module's word alone: whether it may have such copies is for others to
   * say.
   */
  *missing(): Generator<MissingCopy> {
    for (const [cause, { decision, subject, conversation, schema, out, present }] of this.#incomplete) {
      for (const [index, promised] of out.entries()) {
        const i = index + 1;
        if (present.has(i)) continue;
        const copy = { cause, conversation, schema, i, n: out.length, out: promised };
        yield { decision, result: subject, copy };
      }
    }
  }

  #outcome(cause: number, message: StoredMessage): void {
    // What answers a command stands behind it, and only the first of several counts.
    if (cause >= message.seq || this.#answered.has(cause)) return;
    this.#answered.add(cause);
    // Its own bytes: those of the message may be a part of many records, which would be kept with it.
    const out = promisedCopies(message.data.slice());
    if (out.length > 0) {
      this.#incomplete.set(cause, {
        decision: message.seq,
        subject: message.subject,
        conversation: conversationOf(message),
        schema: message.header(HEADER.schema),
        out,
        present: new Set(),
      });
    }
  }

  #copy(cause: number, header: string | undefined): void {
    const outcome = this.#incomplete.get(cause);
    const part = parsePart(header ?? '');
    if (outcome === undefined || part === undefined) return;
    outcome.present.add(part.i);
    if (outcome.present.size === outcome.out.length) this.#incomplete.delete(cause);
  }
}

/** How a producer's last epoch ended, for its next epoch record to say. */
export interface EpochEnd {
  readonly epoch: number;
  /** Highest number in the log. */
  readonly last: number;
  /**
   * Lower numbers that are not in the log: refused, or never acknowledged and left out by a crash. {@link MAX_HOLES} at
   * most: more than that no crash leaves, only a forged identity.
   */
  readonly holes: readonly number[];
}

export const MAX_HOLES = 10_000;

interface Looked {
  readonly epoch: number;
  /** The numbers of it that are in the log from `fromSeq` on. */
  readonly stored: Pick<SparseSequences, 'size' | 'has' | 'lowest' | 'highest'>;
  readonly fromSeq: number;
  readonly known: EpochEnd | undefined;
}

/**
 * How an epoch ended, by what was found of it and what its producer was told; undefined when there is nothing of it.
 */
export const epochEnd = ({ epoch, stored, fromSeq, known }: Looked): EpochEnd | undefined => {
  const told = known?.epoch === epoch ? known : undefined;
  if (stored.size === 0) return told;
  const highest = Math.max(stored.highest, told?.last ?? 0);
  // All of an epoch is above its own record. Where less was looked at, what came before had been settled.
  const complete = told?.last ?? (fromSeq <= epoch + 1 ? 0 : stored.lowest);
  const holes = [...(told?.holes ?? [])];
  for (let n = complete + 1; n < highest && holes.length < MAX_HOLES; n++) if (!stored.has(n)) holes.push(n);
  return { epoch, last: highest, holes };
};

/** Whether a record is on a subject that only this producer may write: headers anybody can set, subjects not. */
export const isWrittenBy = (message: StoredMessage, module: string): boolean => {
  const subject = splitSubject(message.subject);
  return subject?.kind === 'cmd'
    ? subject.sender === module
    : subject !== undefined && subject.kind !== 'epoch' && subject.module === module;
};

/**
 * Which numbers of a producer's latest epoch are in the log, and where. `believes` says whether a record can be the
 * producer's at all: a sender may put any identity on its command.
 */
export class NumberRecovery {
  #epoch = 0;
  #numbers = new SparseSequences();
  #stored = new Map<number, StoredMessage[]>();

  constructor(
    private readonly producer: string,
    private readonly believes: (message: StoredMessage, epoch: number) => boolean,
    /** The sequence that the records begin with which are added. */
    private readonly fromSeq: number,
    /** Whether the caller needs the records themselves, which are as many as the epoch has. */
    private readonly keeps = true,
  ) {}

  add(message: StoredMessage): void {
    const id = parseIdentity(message.header(HEADER.id) ?? '');
    if (id === undefined || id.producer !== this.producer || id.epoch < this.#epoch) return;
    if (!this.believes(message, id.epoch)) return;
    if (id.epoch > this.#epoch) {
      this.#epoch = id.epoch;
      this.#numbers = new SparseSequences();
      this.#stored = new Map();
    }
    this.#numbers.add(id.n);
    if (!this.keeps) return;
    const same = this.#stored.get(id.n);
    if (same === undefined) this.#stored.set(id.n, [message]);
    else same.push(message);
  }

  /** The records with each number, if they are kept: one, unless an identity is forged. */
  get stored(): ReadonlyMap<number, readonly StoredMessage[]> {
    return this.#stored;
  }

  /** How the epoch ended; `known` is what its producer was told, where that is still there to say it. */
  end(known?: EpochEnd): EpochEnd | null {
    const { fromSeq } = this;
    return epochEnd({ epoch: this.#epoch, stored: this.#numbers, fromSeq, known }) ?? known ?? null;
  }
}
