import { LAST_MS } from '../../schemas/instant.js';
import type { SignalAddress } from '../../schemas/signal.js';
import type { KeptRows } from './kept-rows.js';
import { CountedTable } from './kept-table.js';
import type { RowChanges } from './index-store.js';
import { OverlayRow } from './overlay.js';
import type { TableKey } from '../../store/log-index/index-files.js';

/** A wait of a handler that no wake has ended. */
export interface OpenWait {
  /** The command whose handler waits. */
  readonly cause: number;
  /** Number of the wait among the calls and steps of the handler. */
  readonly call: number;
  readonly module: string;
  /** When it is due, milliseconds since 1970; {@link NEVER}: it waits for its signal alone. */
  readonly untilMs: number;
  /** What it waits for, besides the time. */
  readonly signal?: SignalAddress;
  /** The secret part of the id of its promise. */
  readonly promise?: string;
}

/** No wait is due then. */
export const NEVER = LAST_MS;

class WaitRow extends OverlayRow {
  constructor(readonly wait: OpenWait) {
    super();
  }
}

const idOf = ({ untilMs, cause, call }: OpenWait): string => `${untilMs}/${cause}/${call}`;

const FIRST: TableKey = [0, 0, 0];
/** So many rows of the files are looked at together. */
const PAGE = 1_000;

/** Waits of handlers that are not woken, in the order in which they are due. */
export class OpenWaits extends CountedTable<string, WaitRow> {
  readonly #byModule = new Map<string, number>();

  constructor(
    files: KeptRows,
    private readonly onChange: () => void,
  ) {
    super(files, 'waits');
  }

  override load(): void {
    super.load();
    this.#byModule.clear();
    for (let after = FIRST; ; ) {
      const page = this.files.page('waits', { after }, PAGE, (key, module) => ({ key, module }));
      for (const { module } of page) this.#counted(module, 1);
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) return;
      after = last.key;
    }
  }

  add(wait: OpenWait): void {
    this.rows.changed(idOf(wait), new WaitRow(wait));
    this.count += 1;
    this.#counted(wait.module, 1);
    this.onChange();
  }

  /** It is woken, or its command is answered. */
  over(wait: OpenWait): void {
    const row = this.rows.find(idOf(wait));
    if (row?.isThere === false) return;
    const gone = row ?? new WaitRow(wait);
    if (row === undefined) gone.isKept = true;
    this.rows.gone(idOf(wait), gone);
    this.count -= 1;
    this.#counted(wait.module, -1);
  }

  /** The first that are due up to a time. */
  due(untilMs: number, limit: number): readonly OpenWait[] {
    const changed = new Map(this.rows.rows());
    const before: TableKey = [untilMs + 1, 0, 0];
    const kept = this.files.page('waits', { after: FIRST, before }, limit, (key, module) => {
      const wait = waitOf(key, module);
      return changed.has(idOf(wait)) ? undefined : wait;
    });
    const fresh = [...changed.values()].flatMap(({ isThere, wait }) =>
      isThere && wait.untilMs <= untilMs ? [wait] : [],
    );
    return [...kept, ...fresh]
      .sort((a, b) => a.untilMs - b.untilMs || a.cause - b.cause || a.call - b.call)
      .slice(0, limit);
  }

  /** When the first one is due; Infinity: none is ever. */
  get nextMs(): number {
    return this.due(NEVER - 1, 1)[0]?.untilMs ?? Number.POSITIVE_INFINITY;
  }

  /** How many handlers of a module wait. */
  countOf(module: string): number {
    return this.#byModule.get(module) ?? 0;
  }

  /** When the first one of a module is due; undefined: none waits. Only as many as this are looked at. */
  nextOf(module: string, atMost = PAGE): number | undefined {
    if (this.countOf(module) === 0) return undefined;
    const due = this.due(NEVER - 1, atMost);
    return due.find((wait) => wait.module === module)?.untilMs;
  }

  take(): RowChanges {
    return [...this.rows.take().values()].map(({ wait, isThere }) => [
      [wait.untilMs, wait.cause, wait.call],
      isThere ? wait.module : null,
    ]);
  }

  #counted(module: string, more: number): void {
    const count = (this.#byModule.get(module) ?? 0) + more;
    if (count === 0) this.#byModule.delete(module);
    else this.#byModule.set(module, count);
  }
}

const waitOf = (key: TableKey, module: string): OpenWait => {
  const [untilMs, cause, call] = key as unknown as readonly [number, number, number];
  return { untilMs, cause, call, module };
};
