import * as E from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { linkedRequest } from '../../link/linked-request.js';
import { parsePubAck } from '../../link/pub-ack.js';
import { type AuditRecord, auditSubject } from '../../schemas/audit-record.js';
import { type Fault, toFault } from '../../schemas/errors.js';
import { encodeJson } from '../../schemas/json.js';
import { Backoff } from '../../system/async/backoff.js';
import { pause } from '../../system/async/pause.js';

/** How long an act waits for its record. A server that does not answer must not hold an operator up for longer. */
const TIMEOUT_MS = 5_000;
/** Records that wait for the server, in memory. */
const MOST_WAITING = 10_000;
const FIRST_PAUSE_MS = 250;
const MAX_PAUSE_MS = 10_000;

/**
 * Writes records to the stream AUDIT. A record that the server does not take waits and is sent again: an operator who
 * repairs a full disk is not stopped by the audit, and what is missing is said.
 */
export class AuditLog {
  readonly #late: AuditRecord[] = [];
  readonly #closing = new AbortController();
  #sending: Promise<void> | undefined;
  #nc: NatsConnection | undefined;
  #lost = 0;

  constructor(private readonly log: (text: string) => void) {}

  /** The stream is there. What happened before has waited for it. */
  open(nc: NatsConnection): void {
    this.#nc = nc;
    if (this.#late.length > 0) this.#wake();
  }

  /** Records that the server has not stored yet. */
  get waiting(): number {
    return this.#late.length;
  }

  /** Records that had no room while they waited. */
  get lost(): number {
    return this.#lost;
  }

  /** Resolves when the record is stored, or waits because the server did not take it. Never rejects. */
  async write(record: AuditRecord): Promise<void> {
    // Behind what waits: the stream keeps the order in which things happened.
    if (this.#nc === undefined || this.#late.length > 0) return this.#wait(record);
    const refused = await this.#store(this.#nc, record);
    if (refused === undefined) return;
    const { code, message } = refused;
    this.log(`the audit has no record yet of ${record.kind} by ${record.principal}: ${code}: ${message}`);
    this.#wait(record);
  }

  /** Sends what waits once more, and gives up what the server does not take now. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#sending;
    while (this.#nc !== undefined) {
      const [record] = this.#late;
      if (record === undefined) return;
      const refused = await this.#store(this.#nc, record);
      if (refused !== undefined)
        return this.log(`the audit ends without ${this.#late.length} records: ${refused.message}`);
      this.#late.shift();
    }
  }

  async #store(nc: NatsConnection, record: AuditRecord): Promise<Fault | undefined> {
    try {
      const ack = await linkedRequest(nc, auditSubject(record), encodeJson(record), { timeout: TIMEOUT_MS });
      const stored = parsePubAck(ack);
      return E.isLeft(stored) ? stored.left : undefined;
    } catch (error) {
      return toFault(error, 'LOG_UNAVAILABLE');
    }
  }

  #wait(record: AuditRecord): void {
    if (this.#late.length >= MOST_WAITING) {
      this.#lost += 1;
      return;
    }
    this.#late.push(record);
    this.#wake();
  }

  #wake(): void {
    const nc = this.#nc;
    if (nc === undefined || this.#closing.signal.aborted) return;
    this.#sending ??= this.#send(nc).finally(() => {
      this.#sending = undefined;
    });
  }

  async #send(nc: NatsConnection): Promise<void> {
    const pauses = new Backoff(FIRST_PAUSE_MS, MAX_PAUSE_MS);
    const { signal } = this.#closing;
    while (!signal.aborted) {
      const [first] = this.#late;
      if (first === undefined) return;
      if ((await this.#store(nc, first)) === undefined) {
        this.#late.shift();
        pauses.reset();
      } else await pause(pauses.take(), { signal });
    }
  }
}
