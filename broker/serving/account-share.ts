import { type Fault, fault } from '../../schemas/errors.js';
import { limitOf, limitText } from '../../schemas/principal-limits.js';
import { formatBytes } from '../../text/bytes.js';
import type { LimitsInForce } from './limits-in-force.js';

/** What the log has of each account, as far as the index has read it. */
export interface LoggedAccounts {
  /** Up to where it is read. */
  readonly position: () => number;
  /** Commands of an account without a result. */
  readonly open: (account: string) => number;
  /** Bytes of all records of an account. */
  readonly bytes: (account: string) => number;
  /** The limit of the log, bytes; infinite: none. */
  readonly maxBytes: () => number;
}

const RETRY_AFTER_MS = 1_000;

/**
 * How much of the log one account has: its commands without a result, and the bytes of its records. The index knows
 * both for what it has read. What is on its way into the log, or is not read yet, is counted here.
 */
export class AccountShare {
  /** Commands that are on their way into the log. */
  #storing = 0;
  #storingBytes = 0;
  /** Those of them that the index has read before the server acknowledged them. */
  #early = 0;
  /** Commands that the log has, and the index has not read: the bytes of each by its sequence. */
  readonly #unread = new Map<number, number>();
  #unreadBytes = 0;

  constructor(
    private readonly account: string,
    private readonly logged: LoggedAccounts,
  ) {}

  get open(): number {
    return this.logged.open(this.account) + this.#storing - this.#early + this.#unread.size;
  }

  get bytes(): number {
    return this.logged.bytes(this.account) + this.#storingBytes + this.#unreadBytes;
  }

  /** Why no further command of the account may be stored, besides `storing` like it; undefined: one may. */
  full(limits: LimitsInForce, bytes: number, storing = 0): Fault | undefined {
    const open = this.open + storing;
    if (open >= limits.open) {
      const said = `${this.account} may have ${limits.open} ${limitOf('open')}, by its limit ${limitText('open', limits.open)}`;
      const text = `${said}; it has ${open}. Try again in ${RETRY_AFTER_MS} ms: each result makes room`;
      return { ...fault('OVERLOADED', text), retryAfterMs: RETRY_AFTER_MS };
    }
    return this.fullLog(limits, bytes * (1 + storing));
  }

  /** Why the account may store no more bytes; undefined: it may. */
  fullLog(limits: LimitsInForce, bytes: number): Fault | undefined {
    const most = (this.logged.maxBytes() * limits.log) / 100;
    if (most === Number.POSITIVE_INFINITY || this.bytes + bytes <= most) return undefined;
    const said = `${this.account} may have ${limits.log} ${limitOf('log')}, by its limit ${limitText('log', limits.log)}`;
    const text = `${said}: ${formatBytes(most)}, and it has ${formatBytes(this.bytes)}. Its records stay, so raise its limit or --max-bytes`;
    return fault('LOG_FULL', text);
  }

  /** A command goes on its way into the log. {@link settled} must follow. */
  storing(bytes: number): void {
    this.#storing += 1;
    this.#storingBytes += bytes;
  }

  /** The log has it, at this sequence, or does not have it (undefined). */
  settled(bytes: number, seq: number | undefined): void {
    this.#storing -= 1;
    this.#storingBytes -= bytes;
    const isRead = seq !== undefined && seq <= this.logged.position();
    this.#early = Math.min(this.#storing, isRead ? Math.max(0, this.#early - 1) : this.#early);
    if (seq === undefined || isRead) return;
    this.#unread.set(seq, bytes);
    this.#unreadBytes += bytes;
  }

  /** The index has read a command that this broker may have stored, and counts it. */
  read(seq: number): void {
    const bytes = this.#unread.get(seq);
    if (bytes === undefined) {
      if (this.#early < this.#storing) this.#early += 1;
      return;
    }
    this.#unread.delete(seq);
    this.#unreadBytes -= bytes;
  }
}

/** An account of which the log has nothing: for brokers without an index. */
export const NOTHING_LOGGED: LoggedAccounts = {
  position: () => Number.POSITIVE_INFINITY,
  open: () => 0,
  bytes: () => 0,
  maxBytes: () => Number.POSITIVE_INFINITY,
};
