import { AgentOrder } from './agent-order.js';
import type { Findings } from './findings.js';
import type { RecordView } from './record-view.js';
import { SequencePages, SequenceSet } from './sequence-pages.js';

/** 32 bits of a fingerprint; never 0. */
const mark = (address: number): number => address >>> 0 || 1;

/** I3 and I5: every command has one result, of its module, action and agent; those of one agent come in its order. */
export class Answers {
  /** Commands without a result, and what the result must be of. */
  readonly open = new SequencePages();
  readonly answered: SequenceSet;
  readonly #order = new AgentOrder();
  /** Results of commands before the range. */
  before = 0;

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

  /** Whether a result would be that of an open command. */
  isOpen(cause: number, { address }: RecordView): boolean {
    return cause >= this.fromSeq && this.open.get(cause) === mark(address);
  }

  /** Whether the result is that of an open command, which it closes. */
  result(view: RecordView): boolean {
    const { seq, headers, address } = view;
    const { cause } = headers;
    if (cause === 0 || cause >= seq) {
      const what = headers.hasCause ? 'names no command before it' : 'has no Tally-Cause';
      this.findings.add(
        'unattributed',
        seq,
        this.#module(view),
        () => `the result ${view.record.subject} ${what}`,
      );
      return false;
    }
    if (cause < this.fromSeq) {
      this.before += 1;
      return false;
    }
    const open = this.open.get(cause);
    if (open === mark(address)) {
      this.#close(view, cause);
      return true;
    }
    const { subject } = view.record;
    if (this.answered.has(cause)) {
      const detail = (): string => `command ${cause} has another result before this one, ${subject}`;
      this.findings.add('answeredTwice', seq, this.#module(view), detail);
    } else {
      const what = open === 0 ? 'which is no command' : 'which is of another module, action or agent';
      this.findings.add(
        'unattributed',
        seq,
        this.#module(view),
        () => `${subject} answers ${cause}, ${what}`,
      );
    }
    return false;
  }

  #close(view: RecordView, cause: number): void {
    this.open.clear(cause);
    this.answered.add(cause);
    const later = view.hasLane ? this.#order.answered(view.lane, cause) : 0;
    if (later === 0) return;
    const whose =
      view.agentTo === view.agentFrom
        ? `${this.#module(view)} itself`
        : `agent ${view.text(view.agentFrom, view.agentTo)} of ${this.#module(view)}`;
    const detail = `${whose} answered command ${cause} behind ${later}, which was sent later`;
    this.findings.add('reordered', view.seq, this.#module(view), detail);
  }

  #module({ moduleFrom, moduleTo, bytes }: RecordView): string {
    return bytes.toString('utf8', moduleFrom, moduleTo);
  }
}
