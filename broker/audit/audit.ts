import type { JetStreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from 'nats';
import {
  type ActKind,
  AUDIT,
  type AuditRecord,
  type AuditStatus,
  MAX_AUDIT_TEXT,
} from '../../schemas/audit-record.js';
import type { Fault } from '../../schemas/errors.js';
import { AuditLog } from './audit-log.js';
import { RefusalFolds, type RefusedRequest } from './refusal-folds.js';
import { refusedRequest } from './refused-request.js';
import { serverRefusal } from './server-refusals.js';

/** What an operator did, and how it ended. */
export interface Act
  extends Pick<AuditRecord, 'principal' | 'outcome' | 'target' | 'detail' | 'log' | 'settings'> {
  readonly kind: ActKind;
}

const cut = (text: string): string =>
  text.length <= MAX_AUDIT_TEXT ? text : `${text.slice(0, MAX_AUDIT_TEXT - 1)}…`;

/** Records what operators do and what is refused (decision 0077). An allowed request does not come here. */
export class Audit {
  readonly #log: AuditLog;
  readonly #folds: RefusalFolds;
  readonly #refused = new Map<string, number>();
  #acts = 0;

  constructor(log: (text: string) => void) {
    this.#log = new AuditLog(log);
    this.#folds = new RefusalFolds({ write: (record) => void this.#log.write(record) });
  }

  open(nc: NatsConnection): void {
    this.#log.open(nc);
  }

  /** Resolves when the act is in the stream, so that its reply comes later than its record. */
  async act({ target, detail, ...act }: Act): Promise<void> {
    this.#acts += 1;
    await this.#log.write({
      time: new Date().toISOString(),
      ...act,
      ...(target === undefined ? {} : { target: cut(target) }),
      ...(detail === undefined ? {} : { detail: cut(detail) }),
    });
  }

  /** The broker refused a request. */
  refusedRequest(subject: string, problem: Fault): void {
    this.#add(refusedRequest(subject, problem));
  }

  /** The broker closed the connections of an account, or one of them. */
  wasCut(cut: Omit<RefusedRequest, 'code' | 'isCut'>): void {
    this.#add({ ...cut, code: 'OVERLOADED', isCut: true });
  }

  /** The server wrote a line: it may tell of a refusal. */
  serverSaid(line: string): void {
    this.#add(serverRefusal(line));
  }

  /** What is in the stream, and what this broker has seen. */
  async status(jsm: JetStreamManager): Promise<AuditStatus> {
    const { state, config } = await jsm.streams.info(AUDIT);
    return {
      records: state.messages,
      bytes: state.bytes,
      maxBytes: config.max_bytes,
      acts: this.#acts,
      refused: Object.fromEntries(this.#refused),
      waiting: this.#log.waiting,
      lost: this.#log.lost,
    };
  }

  async close(): Promise<void> {
    this.#folds.close();
    await this.#log.close();
  }

  #add(refused: RefusedRequest | undefined): void {
    if (refused === undefined) return;
    this.#refused.set(refused.code, (this.#refused.get(refused.code) ?? 0) + 1);
    this.#folds.add(refused);
  }
}
