import { HEADER } from '../../schemas/headers.js';
import { WAITS_SENDER } from '../../schemas/wake.js';
import type { Findings } from './findings.js';
import { headerFound, quotedBytes, subjectFound } from './found-value.js';
import type { Producers, ProducerState } from './verify-producers.js';
import { KIND, type RecordView } from './record-view.js';

const TILDE = 126;

const isSame = (bytes: Buffer, from: number, to: number, otherFrom: number, otherTo: number): boolean => {
  if (to - from !== otherTo - otherFrom) return false;
  for (let at = 0; at < to - from; at++) if (bytes[from + at] !== bytes[otherFrom + at]) return false;
  return true;
};

/** Whether the identity is of the account, or of a producer that the account has named. */
const isOfAccount = (
  bytes: Buffer,
  accountFrom: number,
  accountTo: number,
  from: number,
  to: number,
): boolean =>
  isSame(bytes, accountFrom, accountTo, from, to) ||
  (to - from > accountTo - accountFrom + 1 &&
    bytes[from + accountTo - accountFrom] === TILDE &&
    isSame(bytes, accountFrom, accountTo, from, from + accountTo - accountFrom));

/** Who has written a record, as far as its subject allows what its identity says; headers anybody can set. */
export class Attribution {
  constructor(
    private readonly findings: Findings,
    private readonly producers: Producers,
    private readonly fromSeq: number,
  ) {}

  /** The producer whose number the record has; undefined if its number does not count. */
  producerOf(view: RecordView): ProducerState | undefined {
    const { headers, bytes, kind } = view;
    if (kind === KIND.unknown) {
      this.#unknown(view);
      return undefined;
    }
    // Epoch records are known by their sequence. A sender of a command need not number it.
    if (kind === KIND.epoch) return undefined;
    if (!headers.hasId) {
      if (kind !== KIND.cmd) this.#none(view);
      return undefined;
    }
    if (headers.epoch === 0) {
      this.#none(view, ', which is not PRODUCER.EPOCH.NUMBER');
      return undefined;
    }
    const { producerFrom, producerTo } = headers;
    const producer = this.producers.of(bytes, producerFrom, producerTo);
    const from = kind === KIND.cmd ? view.senderFrom : view.moduleFrom;
    const to = kind === KIND.cmd ? view.senderTo : view.moduleTo;
    const isOfWaits = kind === KIND.wake || kind === KIND.signal;
    if (producer.isWaits || isOfWaits) {
      if (producer.isWaits && isOfWaits) return producer;
    } else if (kind === KIND.cancel || kind === KIND.restart) {
      // No module cancels or restarts a command.
      if (producer.isBroker) return producer;
    } else {
      const isOwn = isOfAccount(bytes, from, to, producerFrom, producerTo);
      if (isOwn || (producer.isBroker && kind !== KIND.evt && kind !== KIND.step)) return producer;
    }
    const owner = isOfWaits
      ? WAITS_SENDER
      : kind === KIND.cancel || kind === KIND.restart
        ? 'the broker'
        : view.text(from, to);
    this.#none(view, `, and only ${owner} can have written it`);
    return undefined;
  }

  /** A command's sender, as the server's import has put it there: an account, so people's or that of a module. */
  sender(view: RecordView): ProducerState {
    const sender = this.producers.of(view.bytes, view.senderFrom, view.senderTo);
    if (!sender.isPeople && !sender.isEvents && sender.fence === 0 && sender.epoch === 0) {
      if (sender.sent === 0) sender.firstSent = view.seq;
      sender.sent += 1;
    }
    return sender;
  }

  /** A step or wake whose cause is no open command of its action and agent, although the range has what came before. */
  step(view: RecordView): void {
    const { headers, record, seq } = view;
    const detail = (): string =>
      `${subjectFound(record)} has ${headerFound(record, HEADER.cause)}, which is no open command of that action and agent`;
    if (headers.cause >= this.fromSeq || headers.cause === 0)
      this.findings.add('unattributed', seq, view.text(view.moduleFrom, view.moduleTo), detail);
  }

  /** Senders of commands that had no account as far as the range shows. */
  strangers(): readonly ProducerState[] {
    return this.producers.all.filter(({ sent }) => sent > 0);
  }

  stranger({ name, firstSent, sent }: ProducerState): void {
    const detail = `${sent} commands are sent by ${name}, which has no account: no epoch of it is in the log`;
    this.findings.add('unattributed', firstSent, name, detail);
  }

  #unknown({ seq, record }: RecordView): void {
    const detail = (): string =>
      `${quotedBytes(record.bytes.subarray(record.subjectFrom, record.subjectTo))} is no subject of the log`;
    this.findings.add('unattributed', seq, '', detail);
  }

  #none({ seq, record, headers, bytes }: RecordView, why = ''): void {
    const name = headers.epoch === 0 ? '' : bytes.toString('utf8', headers.producerFrom, headers.producerTo);
    this.findings.add(
      'unattributed',
      seq,
      name,
      () => `${subjectFound(record)} has ${headerFound(record, HEADER.id)}${why}`,
    );
  }
}
