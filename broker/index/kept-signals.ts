import type { TableKey } from '../../store/log-index/index-files.js';
import type { SignalAddress } from '../../schemas/signal.js';
import type { RowChanges } from './index-store.js';
import type { KeptRows } from './kept-rows.js';
import { KeptTable } from './kept-table.js';
import type { OpenWait } from './open-waits.js';
import { OverlayRow } from './overlay.js';

type Key = readonly (string | number)[];

class KeyRow extends OverlayRow {
  constructor(
    readonly key: Key,
    readonly text: string,
  ) {
    super();
  }
}

/** Rows of a table whose keys begin with module, agent and name. */
class AddressedRows extends KeptTable<string, KeyRow> {
  constructor(
    private readonly files: KeptRows,
    private readonly table: 'awaiting' | 'signals',
  ) {
    super();
  }

  put(key: Key, text: string): void {
    this.rows.changed(key.join('/'), new KeyRow(key, text));
  }

  remove(key: Key): void {
    const id = key.join('/');
    const row = this.rows.find(id);
    if (row?.isThere === false) return;
    const gone = row ?? new KeyRow(key, '');
    if (row === undefined) gone.isKept = true;
    this.rows.gone(id, gone);
  }

  /** The first rows of an address, in the order of the log. */
  of({ module, agent, name }: SignalAddress, limit: number): readonly (readonly [key: Key, text: string])[] {
    const address = [module, agent, name];
    const changed = new Map(this.rows.rows());
    const range = { after: [...address, 0], before: [...address, Number.MAX_SAFE_INTEGER] };
    const kept = this.files.page(this.table, range, limit, (key, text) =>
      changed.has((key as Key).join('/')) ? undefined : ([key as Key, text] as const),
    );
    const fresh = [...changed.values()].flatMap(({ isThere, key, text }) =>
      isThere && address.every((part, i) => key[i] === part) ? [[key, text] as const] : [],
    );
    const inOrder = [...kept, ...fresh].sort(
      ([a], [b]) => Number(a[3]) - Number(b[3]) || Number(a[4] ?? 0) - Number(b[4] ?? 0),
    );
    return inOrder.slice(0, limit);
  }

  /** All addresses that have rows. */
  addresses(): readonly SignalAddress[] {
    const changed = new Map(this.rows.rows());
    const keys = this.files.page<Key>(this.table, { after: [''] }, Number.POSITIVE_INFINITY, (key) =>
      changed.has((key as Key).join('/')) ? undefined : (key as Key),
    );
    const fresh = [...changed.values()].filter(({ isThere }) => isThere).map(({ key }) => key);
    const found = new Map<string, SignalAddress>();
    for (const key of [...keys, ...fresh]) {
      const [module = '', agent = '', name = ''] = key.map(String);
      found.set(`${module}/${agent}/${name}`, { module, agent, name });
    }
    return [...found.values()];
  }

  take(): RowChanges {
    return [...this.rows.take().values()].map(({ key, text, isThere }) => [
      [...key] as TableKey,
      isThere ? text : null,
    ]);
  }
}

/** Signals that no wake has taken, and the waits for signals that have no wake. */
export class KeptSignals {
  readonly awaiting: AddressedRows;
  readonly signals: AddressedRows;

  constructor(files: KeptRows) {
    this.awaiting = new AddressedRows(files, 'awaiting');
    this.signals = new AddressedRows(files, 'signals');
  }

  waits({ signal, cause, call, untilMs }: OpenWait): void {
    if (signal === undefined) return;
    this.awaiting.put([signal.module, signal.agent, signal.name, cause, call], String(untilMs));
  }

  /** A wait is over. */
  over({ signal, cause, call }: OpenWait): void {
    if (signal === undefined) return;
    this.awaiting.remove([signal.module, signal.agent, signal.name, cause, call]);
  }

  sent({ module, agent, name }: SignalAddress, seq: number): void {
    this.signals.put([module, agent, name, seq], '');
  }

  taken({ module, agent, name }: SignalAddress, seq: number): void {
    this.signals.remove([module, agent, name, seq]);
  }

  /** Sequences of the first signals of an address. */
  keptOf(address: SignalAddress, limit: number): readonly number[] {
    return this.signals.of(address, limit).map(([key]) => Number(key[3]));
  }

  /** The first waits for a signal. */
  awaitingOf(address: SignalAddress, limit: number): readonly OpenWait[] {
    return this.awaiting.of(address, limit).map(([key, text]) => ({
      cause: Number(key[3]),
      call: Number(key[4]),
      module: address.module,
      untilMs: Number(text),
      signal: address,
    }));
  }

  get changes(): number {
    return this.awaiting.changes + this.signals.changes;
  }

  take(): { readonly awaiting: RowChanges; readonly signals: RowChanges } {
    return { awaiting: this.awaiting.take(), signals: this.signals.take() };
  }

  kept(): void {
    this.awaiting.kept();
    this.signals.kept();
  }

  putBack(): void {
    this.awaiting.putBack();
    this.signals.putBack();
  }
}
