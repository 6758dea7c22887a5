import { HEADER } from '../../schemas/headers.js';
import { KEY_WINDOW_MS, MAX_SENDER_KEYS, parseKey } from '../../schemas/command-key.js';
import { parseIdentity } from '../../schemas/identity.js';
import type { StoredMessage } from '../../schemas/record.js';
import type { TableKey } from '../../store/log-index/index-files.js';
import type { RowChanges } from './index-store.js';
import type { KeptRows } from './kept-rows.js';
import { Overlay, OverlayRow } from './overlay.js';
import { isRight } from 'fp-ts/lib/Either.js';

/** The command of a key. */
export interface KeyedCommand {
  readonly seq: number;
  /** When the server stored it, milliseconds since 1970. */
  readonly timeMs: number;
  /** Sequence of its result, once there is one. */
  readonly resultSeq: number | null;
}

/** A key as a sender gave it. */
export interface SenderKey {
  readonly sender: string;
  readonly key: string;
}

class KeyRow extends OverlayRow implements SenderKey {
  constructor(
    readonly sender: string,
    readonly key: string,
    public command: KeyedCommand,
  ) {
    super();
  }
}

/** A key in the order of its sender's commands. `ordinal` counts them, so that the first and the last tell how many. */
class OrderRow extends OverlayRow {
  constructor(
    readonly sender: string,
    readonly seq: number,
    readonly ordinal: number,
    readonly key: string,
    readonly timeMs: number,
  ) {
    super();
  }
}

type OrderText = readonly [ordinal: number, key: string, timeMs: number];

/** The ordinals of a sender's oldest key and of its next one. */
interface Ordinals {
  first: number;
  next: number;
  /** Everything up to this sequence is taken out. */
  expired: number;
}

/** The producer that stores the commands of clients: it alone has checked their keys. */
const GATEWAY = 'gateway';
/** Old keys that one new key takes out: more than one, so that they become fewer. */
const AT_ONCE = 4;
/** The same where no key is left. */
const AT_ONCE_IF_FULL = 1_000;

const idOf = ({ sender, key }: SenderKey): string => `${sender} ${key}`;

/** The key of a stored command; undefined if it has none that counts. */
export const keyOf = (message: StoredMessage): string | undefined => {
  const key = message.header(HEADER.key);
  // A module writes to the log itself, and any header.
  if (key === undefined || parseIdentity(message.header(HEADER.id) ?? '')?.producer !== GATEWAY)
    return undefined;
  return isRight(parseKey(key)) ? key : undefined;
};

/**
 * Which command a sender's key names, for {@link KEY_WINDOW_MS} after the command was stored: folded from the log, so
 * that a restart forgets none. The rows lie in the files; in memory is what has changed since.
 */
export class CommandKeys {
  readonly #rows = new Overlay<string, KeyRow>();
  readonly #order = new Overlay<number, OrderRow>();
  readonly #spans = new Map<string, Ordinals>();

  constructor(private readonly files: KeptRows) {}

  /** Rows that are to be written. */
  get changes(): number {
    return this.#rows.size + this.#order.size;
  }

  /** Forgets what an earlier file had; the spans of senders are read when they are needed. */
  load(): void {
    this.#spans.clear();
  }

  get(of: SenderKey): KeyedCommand | undefined {
    const row = this.#find(of);
    return row === undefined || isOver(row.command.timeMs) ? undefined : row.command;
  }

  /** Whether a sender has as many keys in the window as it may. */
  isFull(sender: string, most = MAX_SENDER_KEYS): boolean {
    const span = this.#span(sender);
    if (span.next - span.first < most) return false;
    this.#expire(sender, span, AT_ONCE_IF_FULL);
    return span.next - span.first >= most;
  }

  /** A command came, with this key. */
  command({ seq, timeMs }: StoredMessage, of: SenderKey): void {
    if (isOver(timeMs)) return;
    const { sender, key } = of;
    const span = this.#span(sender);
    this.#rows.changed(idOf(of), new KeyRow(sender, key, { seq, timeMs, resultSeq: null }));
    this.#order.changed(seq, new OrderRow(sender, seq, span.next, key, timeMs));
    span.next += 1;
    this.#expire(sender, span, AT_ONCE);
  }

  /** The command of a key has its result. */
  answered(of: SenderKey, command: number, resultSeq: number): void {
    const row = this.#find(of);
    if (row === undefined || row.command.seq !== command) return;
    row.command = { ...row.command, resultSeq };
    this.#rows.changed(idOf(of), row);
  }

  take(): { readonly keys: RowChanges; readonly keyed: RowChanges } {
    return {
      keys: [...this.#rows.take().values()].map(({ sender, key, command, isThere }) => [
        [sender, key],
        isThere ? JSON.stringify(command) : null,
      ]),
      keyed: [...this.#order.take().values()].map(({ sender, seq, ordinal, key, timeMs, isThere }) => [
        [sender, seq],
        isThere ? JSON.stringify([ordinal, key, timeMs] satisfies OrderText) : null,
      ]),
    };
  }

  kept(): void {
    this.#rows.kept();
    this.#order.kept();
  }

  putBack(): void {
    this.#rows.putBack();
    this.#order.putBack();
  }

  #find(of: SenderKey): KeyRow | undefined {
    const row = this.#rows.find(idOf(of)) ?? this.#inFiles(of);
    return row?.isThere === true ? row : undefined;
  }

  #inFiles({ sender, key }: SenderKey): KeyRow | undefined {
    const command = this.files.row('keys', [sender, key], (text) => JSON.parse(text) as KeyedCommand);
    if (command === undefined) return undefined;
    const row = new KeyRow(sender, key, command);
    row.isKept = true;
    return row;
  }

  /** Takes out the oldest keys of a sender whose time is over. Those that are not in the files yet are too young. */
  #expire(sender: string, span: Ordinals, most: number): void {
    for (const row of this.#oldest(sender, span.expired, most)) {
      if (!isOver(row.timeMs)) return;
      span.first = row.ordinal + 1;
      span.expired = row.seq;
      this.#order.gone(row.seq, row);
      const named = this.#find(row);
      // The sender may have used the key again since.
      if (named?.command.seq === row.seq) this.#rows.gone(idOf(named), named);
    }
  }

  #oldest(sender: string, after: number, most: number): readonly OrderRow[] {
    const range = { after: [sender, after], before: [sender, Number.MAX_SAFE_INTEGER] };
    return this.files.page('keyed', range, most, (key, text) =>
      orderOf(sender, Number((key as readonly TableKey[])[1]), text),
    );
  }

  #span(sender: string): Ordinals {
    const known = this.#spans.get(sender);
    if (known !== undefined) return known;
    const [oldest] = this.#oldest(sender, 0, 1);
    const newest = this.files.last('keyed', sender, (key, text) =>
      orderOf(sender, Number((key as readonly TableKey[])[1]), text),
    );
    const span = { first: oldest?.ordinal ?? 0, next: (newest?.ordinal ?? -1) + 1, expired: 0 };
    this.#spans.set(sender, span);
    return span;
  }
}

const isOver = (timeMs: number): boolean => Date.now() - timeMs >= KEY_WINDOW_MS;

const orderOf = (sender: string, seq: number, text: string): OrderRow => {
  const [ordinal, key, timeMs] = JSON.parse(text) as OrderText;
  const row = new OrderRow(sender, seq, ordinal, key, timeMs);
  row.isKept = true;
  return row;
};
