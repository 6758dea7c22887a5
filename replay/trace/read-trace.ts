import { isLeft } from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { readLogBatches } from '../../journal/read/reader.js';
import { recordsAt } from '../../journal/read/records-at.js';
import { FaultError, fault } from '../../schemas/errors.js';
import { causeOf, conversationOf, type StoredMessage, toHistory } from '../../schemas/record.js';
import { splitSubject } from '../../schemas/subjects.js';
import { type Patience, Places } from '../history/history-places.js';
import { ConversationEnd } from './conversation-end.js';
import type { Trace } from './conversation-trace.js';
import { traceOf } from './trace-of.js';
import { toTraceRecord, type TraceRecord } from './trace-record.js';
import { AgentTurns } from './trace-turns.js';

/** Which conversation to trace. */
export interface TraceQuery extends Patience {
  /** Sequence of any record of the conversation. */
  readonly seq: number;
  /** Read to the end of the log: what joined the conversation after its end is found too. */
  readonly all?: boolean | undefined;
  /** What the trace has of a record: without it, all. Sensitive values are hidden here. */
  readonly shown?: ((message: StoredMessage) => StoredMessage) | undefined;
  /** Told now and then how far reading is: `seq` of what is at most read to `end`. */
  readonly onProgress?: ((seq: number, end: number) => void) | undefined;
}

/** How much of the log a trace was made from. */
export interface TraceRead {
  readonly fromSeq: number;
  /** The last record that was looked at. */
  readonly toSeq: number;
  /** Where the log ended when reading began. */
  readonly logEnd: number;
  /** Whether all that follows from the first record has been seen, and nothing is open. */
  readonly ended: boolean;
}

export interface ReadTrace extends Trace {
  readonly read: TraceRead;
}

/** Most conversations are short, and everything between their records comes along. */
const FIRST_PULL = 64;

const unknown = (message: string): FaultError => new FaultError(fault('CONVERSATION_UNKNOWN', message));

const findConversation = async (nc: NatsConnection, seq: number, logEnd: number): Promise<number> => {
  if (seq > logEnd) throw unknown(`there is no record ${seq}: the log ends at ${logEnd}`);
  const found = await recordsAt({ nc, prefix: '$JS.API' }, [seq])();
  if (isLeft(found)) {
    if (found.left.code === 'LOG_MISMATCH') throw unknown(`the log has no record ${seq}`);
    throw new FaultError(found.left);
  }
  const { kind, subject, conversation } = toHistory(found.right[0] as StoredMessage);
  if (conversation === null)
    throw unknown(
      `record ${seq} is of no conversation: ${kind === 'epoch' ? subject : `unknown ${subject}`}`,
    );
  return conversation;
};

/** Reads a log from a conversation's first record on, and keeps what a trace is made from. */
class TraceReading {
  readonly records: TraceRecord[] = [];
  readonly turns = new AgentTurns();
  readonly end: ConversationEnd;

  constructor(
    private readonly conversation: number,
    private readonly asked: number,
    private readonly all: boolean,
    private readonly shown: (message: StoredMessage) => StoredMessage = (message) => message,
  ) {
    this.end = new ConversationEnd(conversation);
  }

  /** False when nothing more is wanted. */
  add(message: StoredMessage): boolean {
    if (conversationOf(message) === this.conversation) this.#keep(message);
    else this.#turn(message);
    return this.all || message.seq < this.asked || !this.end.isReached || this.end.dead > 0;
  }

  #keep(message: StoredMessage): void {
    const record = toTraceRecord(this.shown(message));
    if (record.conversation === null) return;
    this.records.push(record);
    this.end.add(record);
    if (record.kind === 'cmd') this.turns.command(record);
    else if (record.kind === 'res') this.turns.result(record);
  }

  /** Results of others say how long their agents were busy. */
  #turn(message: StoredMessage): void {
    if (!message.subject.startsWith('res.')) return;
    const subject = splitSubject(message.subject);
    if (subject?.kind !== 'res') return;
    const cause = causeOf(message) ?? null;
    const { module, agent = null } = subject;
    const timeMs = message.timeUs === undefined ? message.timeMs : message.timeUs / 1_000;
    this.turns.result({ seq: message.seq, kind: 'res', module, agent, cause, timeMs });
  }
}

/**
 * The conversation that a record belongs to, as a tree. Reads from its first record until nothing of it is open and
 * all that its results promised is there; to the end of the log where that does not come, or where a dead letter of
 * it may have been redriven. Throws CONVERSATION_UNKNOWN, and as `readLog` does.
 */
export const readTrace = async (nc: NatsConnection, query: TraceQuery): Promise<ReadTrace> => {
  const { seq, all = false, onProgress, signal, patienceMs } = query;
  const logEnd = await new Places(nc, query).end();
  const conversation = await findConversation(nc, seq, logEnd);
  // A sender can write the name of a conversation into a header, so a record that has it may precede that sequence.
  const fromSeq = Math.min(conversation, seq);
  const reading = new TraceReading(conversation, seq, all, query.shown);
  const batches = readLogBatches(nc, {
    fromSeq,
    toSeq: logEnd,
    firstPull: FIRST_PULL,
    ...(signal === undefined ? {} : { signal }),
    ...(patienceMs === undefined ? {} : { patienceMs }),
  });
  let toSeq = fromSeq - 1;
  let goesOn = true;
  for await (const batch of batches) {
    for (const message of batch) {
      toSeq = message.seq;
      goesOn = reading.add(message);
      if (!goesOn) break;
    }
    onProgress?.(toSeq, logEnd);
    if (!goesOn) break;
  }
  const trace = traceOf(reading.records, { conversation, waits: reading.turns.waits });
  const { end } = reading;
  return { ...trace, read: { fromSeq, toSeq, logEnd, ended: end.isReached } };
};
