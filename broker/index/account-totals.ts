import { partOrInvalid } from '../../schemas/names.js';
import type { KeptRows } from './kept-rows.js';
import type { RowChanges } from './index-store.js';

interface Total {
  open: number;
  bytes: number;
  /** Records that this process has read: no file has them. */
  records: number;
}

const ALL = '';
const MOST = Number.MAX_SAFE_INTEGER;

/**
 * What each account has in the log: its open commands, and the bytes of its records. Accounts are few, so all of them
 * are in memory. They go to the files with the position of the index, and make no group for themselves.
 */
export class AccountTotals {
  readonly #totals = new Map<string, Total>();
  #changed = new Set<string>();
  /** In the group that is being written. */
  #written: ReadonlySet<string> = new Set();

  constructor(private readonly files: KeptRows) {}

  load(): void {
    this.#totals.clear();
    const rows = this.files.page('accounts', { after: ALL }, MOST, (key, text) => {
      const [open, bytes] = JSON.parse(text) as readonly [number, number];
      return [String(key), { open, bytes, records: 0 }] as const;
    });
    for (const [account, total] of rows) this.#totals.set(account, total);
  }

  /** All accounts that have something in the log. */
  names(): Iterable<string> {
    return this.#totals.keys();
  }

  /** Commands of this account without a result. */
  open(account: string): number {
    return this.#totals.get(account)?.open ?? 0;
  }

  /** Bytes of all records of this account: subjects, headers and payloads. */
  bytes(account: string): number {
    return this.#totals.get(account)?.bytes ?? 0;
  }

  /** Records of this account that this process has read. */
  recordsRead(account: string): number {
    return this.#totals.get(account)?.records ?? 0;
  }

  /** A record of an account came. */
  stored(account: string, bytes: number): void {
    const total = this.#of(account);
    total.bytes += bytes;
    total.records += 1;
  }

  /** It was a command. */
  opened(account: string): void {
    this.#of(account).open += 1;
  }

  /** A command has its result. */
  ended(account: string): void {
    this.#of(account).open -= 1;
  }

  /** Rows that are to be written: they go along with others. */
  take(): RowChanges {
    this.#written = this.#changed;
    this.#changed = new Set();
    return [...this.#written].map((account) => {
      const { open, bytes } = this.#of(account);
      return [account, JSON.stringify([open, bytes])];
    });
  }

  kept(): void {
    this.#written = new Set();
  }

  putBack(): void {
    for (const account of this.#written) this.#changed.add(account);
    this.#written = new Set();
  }

  #of(account: string): Total {
    const known = this.#totals.get(account);
    const name = known === undefined ? partOrInvalid(account) : account;
    this.#changed.add(name);
    const total = known ?? this.#totals.get(name) ?? { open: 0, bytes: 0, records: 0 };
    if (known === undefined) this.#totals.set(name, total);
    return total;
  }
}
