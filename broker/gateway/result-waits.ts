import * as E from 'fp-ts/lib/Either.js';
import type { Msg, NatsConnection } from 'nats';
import { fault } from '../../schemas/errors.js';
import { LOG } from '../../schemas/log.js';
import { causeOf, type WholeMessage } from '../../schemas/record.js';
import { type Address, resultSubject } from '../../schemas/subjects.js';
import { failPoint } from '../../system/processes/fail-point.js';
import { linkedRequest } from '../../link/linked-request.js';
import type { LogIndex } from '../index/log-index.js';
import type { BrokerReader } from '../reader/broker-reader.js';
import type { Sealing } from '../sealing/sealing.js';
import { refuseSafely } from '../serving/serve.js';
import type { AdmittedCall } from './call-admission.js';
import { PendingCalls, type StoredResult } from './pending-calls.js';
import { replyFault, replyResult } from './reply.js';

export interface ResultWaitsOptions {
  readonly nc: NatsConnection;
  /** Brings the results that callers wait for. */
  readonly reader: Pick<BrokerReader, 'on'>;
  readonly index: Pick<LogIndex, 'on' | 'recentResult'>;
  /** Decrypts results. */
  readonly sealing: Pick<Sealing, 'result'>;
}

/** How long the server may take to give a record, milliseconds. */
const FETCH_MS = 5_000;
/** Until a record is asked for again, milliseconds. */
const AGAIN_MS = 250;

/**
 * Callers whose commands are recorded, until each has its result. The broker's reader brings the results, before the
 * index looks at them: a caller never waits for the index. A result that was read before its caller was known is
 * fetched; the index knows where it is.
 */
export class ResultWaits {
  readonly #pending = new PendingCalls();

  constructor(private readonly options: ResultWaitsOptions) {
    options.reader.on('urgent', (records) => this.#read(records));
    options.index.on('result', ({ seq }, resultSeq) => {
      if (this.#pending.has(seq)) void this.fetch(seq, resultSeq);
    });
  }

  get size(): number {
    return this.#pending.size;
  }

  /** Replies to the caller with the result of its command. `started`: when the call came, for the statistics. */
  add(msg: Msg, { module, address }: AdmittedCall, command: number, started: number): void {
    this.#pending.add(command, {
      since: performance.now(),
      // Only the called module may reply; any module can name this command as the cause of one of its results (I7).
      subject: resultSubject(address),
      resolve: (result) => {
        failPoint('gateway.answered');
        const error = this.#replyOpened(msg, address, command, result);
        module?.stats.record(address.name, performance.now() - started, error);
      },
      expire: () => {
        replyFault(msg, fault('RESULT_PENDING', `command ${command} is recorded and not answered yet`));
      },
    });
    const resultSeq = this.options.index.recentResult(command);
    if (resultSeq !== undefined) void this.fetch(command, resultSeq);
  }

  /** Brings a result that is in the log to those who wait for it. */
  async fetch(command: number, resultSeq: number): Promise<void> {
    const { nc } = this.options;
    const body = JSON.stringify({ seq: resultSeq });
    try {
      const reply = await linkedRequest(nc, `$JS.API.DIRECT.GET.${LOG}`, body, { timeout: FETCH_MS });
      this.#pending.resolve(command, { body: reply.data, seq: resultSeq });
    } catch {
      // The result is in the log; a server that restarts just now is asked again.
      if (this.#pending.has(command) && !nc.isClosed())
        setTimeout(() => void this.fetch(command, resultSeq), AGAIN_MS).unref();
    }
  }

  /** Tells those that have waited since before that time that their commands are recorded and unanswered. */
  expire(before: number): void {
    this.#pending.expire(before);
  }

  #read(records: readonly WholeMessage[]): void {
    if (this.#pending.size === 0) return;
    for (const record of records) {
      const { subject } = record;
      if (!subject.startsWith('res.')) continue;
      const command = causeOf(record);
      if (command !== undefined)
        this.#pending.resolve(command, { body: record.data, seq: record.seq }, subject);
    }
  }

  /** With the values decrypted; with a no where their key is destroyed. */
  #replyOpened(msg: Msg, address: Address, command: number, { body, seq }: StoredResult): string | null {
    const opened = this.options.sealing.result(address, body);
    if (E.isRight(opened)) return this.#reply(msg, command, { body: opened.right, seq });
    refuseSafely(msg, replyFault, opened.left);
    return opened.left.code;
  }

  /**
   * Answers the caller; with a no where the result is one that cannot be passed on. Returns the code of the answer,
   * or null. It never throws: the reader has others to tell.
   */
  #reply(msg: Msg, command: number, result: StoredResult): string | null {
    try {
      return replyResult(msg, command, result);
    } catch (error) {
      const text = `the result of command ${command} cannot be passed on: ${(error as Error).message}`;
      refuseSafely(msg, replyFault, fault('ANSWER_TOO_LARGE', `${text}; read it from the log`));
      return 'ANSWER_TOO_LARGE';
    }
  }
}
