import { HEADER } from '../../schemas/headers.js';
import { AgentOrder } from './agent-order.js';
import type { Findings } from './findings.js';
import { headerFound, subjectFound } from './found-value.js';
import type { RecordView } from './record-view.js';
import { SequencePages, SequenceSet } from './sequence-pages.js';

/** 32 bits of a fingerprint; never 0. */
const mark = (address: number): number => address >>> 0 || 1;

/** A result whose cause is a command of another module, action or agent. */
export interface Astray {
  readonly seq: number;
  readonly cause: number;
  readonly subject: string;
  readonly module: string;
}

/** I3 and I5: every command has one result, of its module, action and agent; those of one agent come in its order. */
export class Answers {
  /** Commands without a result, and what the result must be of. */
  readonly open = new SequencePages();
  readonly answered: SequenceSet;
  readonly #order = new AgentOrder();
  /** Results of commands before the range. */
  before = 0;
  /** Results of commands of others: what those are is read when all has been. */
  readonly astray: Astray[] = [];

  constructor(
    private readonly findings: Findings,
    private readonly fromSeq: number,
  ) {
    this.answered = new SequenceSet(fromSeq);
  }

  command({ seq, address, lane, hasLane }: RecordView): void {
    this.open.set(seq, mark(address));
    if (hasLane) this.#order.sent(lane);
  }

  /** Whether that command is open. */
  isWaiting(cause: number): boolean {
    return cause >= this.fromSeq && this.open.get(cause) !== 0;
  }

  /** Whether a result would be that of an open command. */
  isOpen(cause: number, { address }: RecordView): boolean {
    return cause >= this.fromSeq && this.open.get(cause) === mark(address);
  }

  /** Whether the result is that of an open command, which it closes. */
  result(view: RecordView): boolean {
    const { cause } = view.headers;
    if (cause === 0 || cause >= view.seq) {
      this.#causeless(view);
    } else if (cause < this.fromSeq) {
      this.before += 1;
    } else if (this.open.get(cause) === mark(view.address)) {
      this.open.clear(cause);
      this.answered.add(cause);
      const later = view.hasLane ? this.#order.answered(view.lane, cause) : 0;
      if (later !== 0) this.#reordered(view, later);
      return true;
    } else {
      this.#unexpected(view);
    }
    return false;
  }

  // Separate functions make the texts of findings: closures for them would cost time with every record.

  #causeless(view: RecordView): void {
    const { headers, record } = view;
    const why =
      headers.cause > 0 ? ', which is not before it' : headers.hasCause ? ', which is no sequence' : '';
    const detail = (): string =>
      `the result ${subjectFound(record)} has ${headerFound(record, HEADER.cause)}${why}`;
    this.findings.add('unattributed', view.seq, this.#module(view), detail);
  }

  #unexpected(view: RecordView): void {
    const { seq, record, headers } = view;
    const { cause } = headers;
    if (this.answered.has(cause)) {
      const detail = (): string =>
        `command ${cause} has another result before this one, ${subjectFound(record)}`;
      this.findings.add('answeredTwice', seq, this.#module(view), detail);
      return;
    }
    const module = this.#module(view);
    if (this.open.get(cause) !== 0) {
      this.astray.push({ seq, cause, subject: subjectFound(record), module });
      return;
    }
    const detail = (): string => `${subjectFound(record)} answers ${cause}, which is no command`;
    this.findings.add('unattributed', seq, module, detail);
  }

  #reordered(view: RecordView, later: number): void {
    const module = this.#module(view);
    const whose =
      view.agentTo === view.agentFrom
        ? `${module} itself`
        : `agent ${view.text(view.agentFrom, view.agentTo)} of ${module}`;
    const detail = `${whose} answered command ${view.headers.cause} behind ${later}, which was sent later`;
    this.findings.add('reordered', view.seq, module, detail);
  }

  #module({ moduleFrom, moduleTo, bytes }: RecordView): string {
    return bytes.toString('utf8', moduleFrom, moduleTo);
  }
}
