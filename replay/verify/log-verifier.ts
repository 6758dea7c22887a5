import type { WireRecord } from '../../journal/wire/wire-record.js';
import { Answers } from './answers.js';
import { Attribution } from './attribution.js';
import { Copies, type Missing } from './copies.js';
import { LogDigest } from './digest.js';
import type { Findings } from './findings.js';
import type { Ledger } from './ledger.js';
import { Numbering } from './verify-numbering.js';
import { Producers, type ProducerState } from './verify-producers.js';
import { KIND, RecordView } from './record-view.js';
import { StatedCancels } from './stated-cancels.js';
import { StatedCalls } from './stated-calls.js';
import { StatedRestarts } from './stated-restarts.js';
import { TimeMarks } from './time-marks.js';
import { VerifyWaits } from './verify-waits.js';

/** What the end of a range leaves open. */
export interface Unfinished {
  /** Too young to be called missing. */
  readonly waiting: number;
  /** Commands without a result. */
  readonly late: readonly number[];
  /** Module and agent of the commands whose handlers wait. Their later commands wait too. */
  readonly asleep: ReadonlySet<string>;
  readonly missing: readonly Missing[];
}

/**
 * Looks at every record of a range once, in order, and lays its halves together. Memory grows with what is open at a
 * time and by three bits a record, not with what is read.
 */
export class LogVerifier {
  records = 0;
  commands = 0;
  results = 0;
  events = 0;
  epochs = 0;
  readonly answers: Answers;
  readonly copies: Copies;
  readonly #view = new RecordView();
  readonly #producers = new Producers();
  readonly #attribution: Attribution;
  readonly #numbering: Numbering;
  readonly #digest: LogDigest;
  readonly #calls: StatedCalls;
  readonly #waits: VerifyWaits;
  readonly #cancels: StatedCancels;
  readonly restarts: StatedRestarts;
  readonly #times = new TimeMarks();
  #next: number;

  constructor(
    private readonly findings: Findings,
    readonly fromSeq: number,
    private readonly ledger: Ledger | undefined,
  ) {
    this.#next = fromSeq;
    this.answers = new Answers(findings, fromSeq);
    this.copies = new Copies(findings, fromSeq, this.answers.answered);
    this.#attribution = new Attribution(findings, this.#producers, fromSeq);
    this.#numbering = new Numbering(findings, fromSeq);
    this.#digest = new LogDigest(fromSeq);
    this.#calls = new StatedCalls(findings);
    this.#waits = new VerifyWaits(findings, fromSeq);
    this.#cancels = new StatedCancels(findings, fromSeq, this.answers);
    this.restarts = new StatedRestarts(findings, fromSeq, this.answers, this.#calls);
  }

  /** The next record of the range. */
  add(record: WireRecord): void {
    const view = this.#view;
    view.look(record);
    const { seq } = view;
    if (seq !== this.#next) this.#gap(seq - 1);
    this.#next = seq + 1;
    this.records += 1;
    const producer = this.#attribution.producerOf(view);
    if (producer !== undefined && !producer.isBroker) this.#numbering.record(view, producer);
    const sender = view.kind === KIND.cmd ? this.#attribution.sender(view) : undefined;
    if (producer?.isBroker === true) {
      const module = (): ProducerState => this.#producers.of(view.bytes, view.moduleFrom, view.moduleTo);
      this.#numbering.record(view, producer, sender ?? module());
    }
    switch (view.kind) {
      case KIND.cmd:
        this.commands += 1;
        this.answers.command(view);
        if (sender !== undefined) this.#command(view, producer, sender);
        break;
      case KIND.res:
        this.results += 1;
        if (!this.answers.result(view)) break;
        this.copies.decided(view);
        this.#calls.answered(view);
        this.#waits.answered(view.headers.cause);
        this.#cancels.answered(view);
        break;
      case KIND.evt:
        this.events += 1;
        // Without a cause it decides itself.
        if (view.headers.hasCause) this.copies.copy(view);
        break;
      case KIND.step:
        if (producer === undefined) break;
        this.#cancels.met(view);
        if (this.answers.isOpen(view.headers.cause, view)) {
          this.#calls.stepped(view);
          this.#waits.stepped(view);
        } else this.#attribution.step(view);
        break;
      case KIND.wake:
        if (producer === undefined) break;
        if (this.answers.isOpen(view.headers.cause, view)) this.#waits.woken(view);
        else if (!this.#waits.isLate(view)) this.#attribution.step(view);
        break;
      case KIND.cancel:
        if (producer !== undefined) this.#cancels.cancelled(view);
        break;
      case KIND.restart:
        if (producer !== undefined) this.restarts.restarted(view);
        break;
      case KIND.signal:
        if (producer !== undefined) this.#waits.signalled(view);
        break;
      case KIND.epoch:
        this.epochs += 1;
        this.#numbering.epoch(view, this.#producers.of(view.bytes, view.moduleFrom, view.moduleTo));
        break;
    }
    this.#times.add(seq, this.#digest.add(view));
    this.ledger?.at(view);
  }

  /** A record behind the range: nothing is said of it, but it may be what something in the range waits for. */
  addBehind(record: WireRecord): void {
    const view = this.#view;
    view.look(record);
    const { kind, headers } = view;
    if (kind === KIND.res) {
      if (this.answers.isOpen(headers.cause, view)) this.answers.result(view);
    } else if (kind === KIND.cmd && headers.restart !== 0 && this.restarts.isOpen) {
      this.restarts.command(view);
    } else if (kind === KIND.epoch) {
      this.#numbering.explain(view, this.#producers.of(view.bytes, view.moduleFrom, view.moduleTo));
    } else if (kind !== KIND.unknown && headers.hasPart && this.copies.isOpen(headers.cause)) {
      if (kind === KIND.evt || this.#isCopy(view)) this.copies.copy(view);
    }
  }

  /** Whether something of the range may be answered, stored or explained behind it. */
  get isOpen(): boolean {
    return (
      this.answers.open.size > 0 ||
      this.copies.open > 0 ||
      this.restarts.isOpen ||
      this.#producers.all.some(({ holes }) => holes.length > 0)
    );
  }

  get producers(): number {
    return this.#producers.all.filter(({ hasWritten }) => hasWritten).length;
  }

  /** Senders that have no account as far as the range shows. */
  strangers(): readonly ProducerState[] {
    return this.#attribution.strangers();
  }

  stranger(sender: ProducerState): void {
    this.#attribution.stranger(sender);
  }

  /** The range has been read to its end. */
  rangeEnded(toSeq: number, isWhole: boolean): void {
    if (this.#next <= toSeq) this.#gap(toSeq);
    this.ledger?.end(toSeq, isWhole);
  }

  /**
   * Everything has been read. What is younger than `graceMs` at `nowMs` waits: it is counted and no finding. Commands
   * that are older and unanswered are returned, and copies that are missing.
   */
  finish(nowMs: number, graceMs: number): Unfinished {
    const isYoung = (seq: number): boolean => nowMs - this.#times.of(seq, nowMs) < graceMs;
    let waiting = this.#numbering.finish(this.#producers.all, ({ timeMs }) => nowMs - timeMs < graceMs);
    const missing: Missing[] = [];
    for (const copy of this.copies.missing()) {
      if (isYoung(copy.decision)) waiting += 1;
      else missing.push(copy);
    }
    for (const { seq, before, module } of this.restarts.unfinished()) {
      const detail = `command ${before} is restarted, and its new command is not in the log`;
      if (isYoung(seq)) waiting += 1;
      else this.findings.add('missing', seq, module, detail);
    }
    const late: number[] = [];
    const asleep = this.#waits.asleep(nowMs, graceMs);
    for (const seq of this.answers.open.sequences()) {
      if (isYoung(seq) || asleep.has(seq)) waiting += 1;
      else late.push(seq);
    }
    return { waiting, late, missing, asleep: new Set(asleep.values()) };
  }

  digest(): ReturnType<LogDigest['finish']> {
    return this.#digest.finish();
  }

  #command(view: RecordView, producer: ProducerState | undefined, sender: ProducerState): void {
    const { call, cause, restart } = view.headers;
    if (restart !== 0) this.restarts.command(view);
    if (call !== 0 && !sender.isPeople && this.answers.isWaiting(cause)) this.#calls.called(view);
    // A guest can set any header; copies are what a module has stored under its own name.
    if (view.headers.hasPart && producer === sender && !sender.isPeople) this.copies.copy(view);
  }

  #isCopy(view: RecordView): boolean {
    const { headers, bytes } = view;
    return (
      bytes.compare(bytes, view.senderFrom, view.senderTo, headers.producerFrom, headers.producerTo) === 0
    );
  }

  #gap(to: number): void {
    const from = this.#next;
    const which = from === to ? `sequence ${from} is` : `sequences ${from} to ${to} are`;
    const detail = `${which} not in the log, which forgets nothing by itself`;
    this.findings.add('missing', from, '', detail);
  }
}
