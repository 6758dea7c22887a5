import * as E from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { readLogBatches } from '../../journal/read/reader.js';
import { recordsAt } from '../../journal/read/records-at.js';
import { callDigest } from '../../journal/wire/call-digest.js';
import { childrenIn } from '../../schemas/cancel.js';
import { type Fault, FaultError, fault, toFault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { parseSequence } from '../../schemas/identity.js';
import { causeOf, type StoredMessage } from '../../schemas/record.js';
import type { KeptOperation } from '../../schemas/restart.js';
import { shownStep, type Step } from '../../schemas/step.js';
import {
  addressText,
  cancelSubject,
  type CommandSubject,
  resultSubject,
  splitSubject,
  stepSubject,
  wakeSubject,
} from '../../schemas/subjects.js';
import { findResult } from '../gateway/find-result.js';
import { stepIn } from '../gateway/replayed-call.js';
import type { LogIndex } from '../index/log-index.js';

/** A call, step or wait that a handler made. */
export interface PastOperation {
  readonly n: number;
  readonly kind: KeptOperation['kind'];
  readonly seq: number;
  /** Sequence of its result or wake, of a step its own; undefined: it has not ended. */
  readonly end: number | undefined;
  /** For people. */
  readonly what: string;
  /** What it may be called in a request. */
  readonly names: readonly string[];
  readonly digest: string;
  /** Of a step that did not succeed: its name. */
  readonly failed?: string;
}

/** What the log has of the handler of a command that has its result. */
export interface PastHandler {
  readonly operations: ReadonlyMap<number, PastOperation>;
  /** The highest number; 0: it made none. */
  readonly last: number;
  /** Where it met its cancel; undefined: it met none. */
  readonly metAt: number | undefined;
}

export interface EndedCommand {
  readonly seq: number;
  readonly subject: CommandSubject;
  readonly resultSeq: number;
  /** What it keeps of the command before it. */
  readonly kept: readonly KeptOperation[];
}

interface PastLog {
  readonly nc: NatsConnection;
  readonly index: Pick<LogIndex, 'commands'>;
}

/** Records that are asked for at a time: they may be large. */
const AT_A_TIME = 64;

const callOf = (record: StoredMessage): number | undefined => parseSequence(record.header(HEADER.call) ?? '');

const stepOperation = (n: number, record: StoredMessage, wake: number | undefined): PastOperation => {
  const step: Step | undefined = stepIn(record);
  const isWait = step?.status === 'waiting';
  const what = step === undefined ? 'an unreadable step' : shownStep(step);
  return {
    n,
    kind: isWait ? 'wait' : 'step',
    seq: record.seq,
    end: isWait ? wake : record.seq,
    what,
    names: step === undefined ? [] : [step.name, what],
    digest: callDigest({ call: n, address: record.subject, payload: record.data }),
    ...(step?.status === 'failed' ? { failed: step.name } : {}),
  };
};

const callOperation = (n: number, record: StoredMessage, end: number | undefined): PastOperation => {
  const address = addressText(splitSubject(record.subject) as CommandSubject);
  return {
    n,
    kind: 'call',
    seq: record.seq,
    end,
    what: `call ${address}`,
    names: [address, `call ${address}`],
    digest: callDigest({ call: n, address, payload: record.data }),
  };
};

/** Reads what the log has of a handler: what it did itself, and what it has kept of one before. */
class PastReading {
  readonly #operations = new Map<number, PastOperation>();
  #children: readonly number[] = [];
  #metAt: number | undefined;
  #last = 0;

  constructor(
    private readonly log: PastLog,
    private readonly command: EndedCommand,
  ) {}

  async read(): Promise<PastHandler> {
    const { kept } = this.command;
    await this.#each(
      kept.map(({ seq }) => seq),
      async (record, i) => {
        const { kind, end } = kept[i] as KeptOperation;
        this.#add(kind === 'call' ? callOperation(i + 1, record, end) : stepOperation(i + 1, record, end));
      },
    );
    await this.#steps();
    await this.#calls();
    return { operations: this.#operations, last: this.#last, metAt: this.#metAt };
  }

  /** The first of a number counts. */
  #add(operation: PastOperation): void {
    if (!this.#operations.has(operation.n)) this.#operations.set(operation.n, operation);
    this.#last = Math.max(this.#last, operation.n);
  }

  #met(n: number): void {
    this.#metAt = Math.min(this.#metAt ?? n, n);
  }

  /** Steps, waits and the cancel: no other command of the agent has any while this one is handled. */
  async #steps(): Promise<void> {
    const { seq, subject } = this.command;
    const steps = new Map<number, PastOperation>();
    for await (const record of this.#range([
      stepSubject(subject),
      wakeSubject(subject),
      cancelSubject(subject),
    ])) {
      if (causeOf(record) !== seq) continue;
      if (record.subject.startsWith('cancel.')) {
        this.#children = childrenIn(record.header(HEADER.children));
        continue;
      }
      const n = callOf(record);
      if (n === undefined) continue;
      if (record.header(HEADER.cancelled) !== undefined) this.#met(n);
      const wait = steps.get(n);
      if (record.subject.startsWith('step.')) {
        if (wait === undefined) steps.set(n, stepOperation(n, record, undefined));
      } else if (wait !== undefined && wait.end === undefined) steps.set(n, { ...wait, end: record.seq });
    }
    for (const step of steps.values()) this.#add(step);
  }

  async #calls(): Promise<void> {
    const { seq, subject } = this.command;
    const found = new Map<number, number>();
    const sent = [`cmd.*.*.${subject.module}`, `cmd.*.*.*.${subject.module}`];
    for await (const record of this.#range(sent, true)) {
      const n = callOf(record);
      if (causeOf(record) === seq && n !== undefined && !found.has(record.seq)) found.set(record.seq, n);
    }
    await this.#each([...found.keys()], async (record) => {
      const n = found.get(record.seq) as number;
      const end = await this.#resultOf(record);
      this.#add(callOperation(n, record, end));
      if (end !== undefined && this.#children.includes(record.seq)) await this.#childEnded(n, end);
    });
  }

  /** A call that ended because the cancel of the handler cancelled it has told the handler. */
  async #childEnded(n: number, resultSeq: number): Promise<void> {
    await this.#each([resultSeq], async (result) => {
      if (result.header(HEADER.cancelled) !== undefined) this.#met(n);
    });
  }

  async #resultOf(call: StoredMessage): Promise<number | undefined> {
    const { nc, index } = this.log;
    if (index.commands.get(call.seq) !== undefined) return undefined;
    const subject = resultSubject(splitSubject(call.subject) as CommandSubject);
    const found = await findResult({ nc, command: call.seq, subject });
    if (E.isLeft(found)) throw new FaultError(found.left);
    return found.right;
  }

  async *#range(filters: readonly string[], headersOnly = false): AsyncGenerator<StoredMessage, void, void> {
    const { seq, resultSeq } = this.command;
    const range = { fromSeq: seq + 1, toSeq: resultSeq, filters, headersOnly };
    for await (const batch of readLogBatches(this.log.nc, range)) yield* batch;
  }

  async #each(
    seqs: readonly number[],
    visit: (record: StoredMessage, i: number) => Promise<void>,
  ): Promise<void> {
    for (let from = 0; from < seqs.length; from += AT_A_TIME) {
      const some = seqs.slice(from, from + AT_A_TIME);
      const records = await recordsAt({ nc: this.log.nc, prefix: '$JS.API' }, some)();
      if (E.isLeft(records)) throw new FaultError(records.left);
      for (const [i, record] of records.right.entries()) await visit(record, from + i);
    }
  }
}

/** What the log has of the handler of a command that has its result. Left: why the log cannot be read. */
export const readPastHandler = async (
  log: PastLog,
  command: EndedCommand,
): Promise<E.Either<Fault, PastHandler>> => {
  try {
    return E.right(await new PastReading(log, command).read());
  } catch (thrown) {
    const { code, message } = toFault(thrown);
    return E.left(
      fault('LOG_UNAVAILABLE', `what the handler of ${command.seq} did cannot be read: ${code}: ${message}`),
    );
  }
};
