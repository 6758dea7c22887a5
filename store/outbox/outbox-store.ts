import type { Key, RootDatabase } from 'lmdb';
import type { SentUnder } from '../../journal/producer/outbox.js';
import { openLmdb } from './open-outbox-files.js';
import { unpack } from './packed-draft.js';
import { setAside } from '../../system/files/set-aside.js';

/** One transaction. */
export interface OutboxChange {
  /** Records to add, packed. */
  readonly fresh: readonly (readonly [order: number, packed: Uint8Array])[];
  /** Orders of those to take out. */
  readonly gone: readonly number[];
  readonly sent: SentUnder | undefined;
}

/** What is in the store, in order. */
export interface StoredOutbox {
  readonly kept: readonly (readonly [order: number, packed: Uint8Array])[];
  readonly sent: SentUnder | undefined;
}

type Db = RootDatabase<unknown, Key>;

const SENT = 'sent';
const keyOf = (order: number): Key => ['kept', order];

const read = (db: Db): StoredOutbox => {
  const kept = [...db.getRange({ start: keyOf(0), end: keyOf(Number.MAX_SAFE_INTEGER) })].map(
    ({ key, value }): readonly [number, Uint8Array] => {
      // What cannot be unpacked was not written by this: the reader treats the whole as damaged.
      unpack(value as Uint8Array);
      return [(key as unknown as readonly [string, number])[1], value as Uint8Array];
    },
  );
  const sent = db.get(SENT) as Uint8Array | undefined;
  return {
    kept,
    sent: sent === undefined ? undefined : (JSON.parse(Buffer.from(sent).toString()) as SentUnder),
  };
};

/**
 * The files of an outbox. Every commit is on disk when it returns, which takes milliseconds: so use a separate
 * thread. Not the asynchronous transactions of lmdb-js: where a disk is full, those reject promises that no code
 * can reach, and leave others open for ever.
 */
export class OutboxStore {
  readonly stored: StoredOutbox;
  #db: Db;

  /** Throws if it cannot be opened. A damaged one is set aside, and a new one is started. */
  constructor(dir: string, onDamaged: (reason: string) => void) {
    // Without overlapping, a commit returns when it is on disk.
    const open = (): Db => openLmdb(dir, { encoding: 'binary', overlappingSync: false }, onDamaged) as Db;
    this.#db = open();
    try {
      this.stored = read(this.#db);
    } catch (error) {
      void this.#db.close();
      const aside = setAside(dir);
      onDamaged(`${(error as Error).message}; it is kept as ${aside}, and a new one is started`);
      this.#db = open();
      this.stored = { kept: [], sent: undefined };
    }
  }

  /** Throws when it cannot be committed. */
  commit({ fresh, gone, sent }: OutboxChange): void {
    this.#db.transactionSync(() => {
      for (const [order, packed] of fresh) this.#db.putSync(keyOf(order), Buffer.from(packed));
      for (const order of gone) this.#db.removeSync(keyOf(order));
      if (sent !== undefined) this.#db.putSync(SENT, Buffer.from(JSON.stringify(sent)));
    });
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}
