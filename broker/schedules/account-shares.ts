import { type Fault, fault } from '../../schemas/errors.js';
import { splitSubject } from '../../schemas/subjects.js';
import type { Stored } from './page.js';
import { COMMAND_HEADER, MAX_ACCOUNT_SCHEDULE_BYTES, MAX_ACCOUNT_SCHEDULES } from './stream.js';

/** For so long what was read is believed, milliseconds: whoever is refused and tries again makes nobody read the stream again. */
const BELIEVED_MS = 5_000;

interface Share {
  schedules: number;
  bytes: number;
}

export interface AccountSharesOptions {
  /** Reads schedules from a place in their stream on; none: there are no more. */
  readonly read: (fromSeq: number) => Promise<readonly Stored[]>;
  /** Above it an account's schedule is refused. */
  readonly maxSchedules?: number;
  readonly maxBytes?: number;
}

/**
 * What each account has of the schedules. It counts those that are added; which of them have ended since, it reads from the stream
 * where an account seems to have its whole share.
 */
export class AccountShares {
  #shares: Map<string, Share> | undefined;
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: AccountSharesOptions) {}

  /** SCHEDULES_FULL where this account has its share already. Rejects when the stream cannot be read. */
  async full(account: string, bytes: number): Promise<Fault | undefined> {
    const isStale = (): boolean => performance.now() - this.#readAt > BELIEVED_MS;
    if (this.#shares === undefined || (this.#isFull(account, bytes) && isStale())) await this.#read();
    if (!this.#isFull(account, bytes)) return undefined;
    const { schedules, bytes: held } = this.#of(account);
    const { maxSchedules, maxBytes } = this.#quota;
    const text =
      `the account ${account} has ${schedules} schedules with ${held} bytes, and each account may have ${maxSchedules} ` +
      `with ${maxBytes}; cancel one, or try again when some have fired`;
    return { ...fault('SCHEDULES_FULL', text), retryAfterMs: BELIEVED_MS };
  }

  added(account: string, bytes: number): void {
    const share = this.#of(account);
    this.#shares?.set(account, { schedules: share.schedules + 1, bytes: share.bytes + bytes });
  }

  /** A schedule was cancelled: there may be room. */
  cancelled(): void {
    this.#readAt = Number.NEGATIVE_INFINITY;
  }

  get #quota(): { readonly maxSchedules: number; readonly maxBytes: number } {
    const { maxSchedules = MAX_ACCOUNT_SCHEDULES, maxBytes = MAX_ACCOUNT_SCHEDULE_BYTES } = this.options;
    return { maxSchedules, maxBytes };
  }

  #of(account: string): Share {
    return this.#shares?.get(account) ?? { schedules: 0, bytes: 0 };
  }

  #isFull(account: string, bytes: number): boolean {
    const share = this.#of(account);
    const { maxSchedules, maxBytes } = this.#quota;
    return share.schedules >= maxSchedules || share.bytes + bytes > maxBytes;
  }

  async #read(): Promise<void> {
    const shares = new Map<string, Share>();
    for (let from = 1; ; ) {
      const page = await this.options.read(from);
      for (const { header, bytes } of page) {
        const command = splitSubject(header.get(COMMAND_HEADER));
        const account = command?.kind === 'cmd' ? command.sender : '';
        const share = shares.get(account) ?? { schedules: 0, bytes: 0 };
        shares.set(account, { schedules: share.schedules + 1, bytes: share.bytes + bytes });
      }
      const last = page.at(-1);
      if (last === undefined) break;
      from = last.seq + 1;
    }
    this.#shares = shares;
    this.#readAt = performance.now();
  }
}
