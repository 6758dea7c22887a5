import type { TableKey } from '../../store/log-index/index-files.js';
import type { RowChanges } from './index-store.js';
import type { KeptRows } from './kept-rows.js';
import { Overlay, OverlayRow } from './overlay.js';

/** A call that a handler made: its command, and its result once there is one. A step is one record, in both places. */
export interface MadeCall {
  readonly seq: number;
  readonly resultSeq: number | null;
  /** It is a wait, which is due at this time, milliseconds since 1970. Its result is its wake. */
  readonly untilMs?: number;
  /** The name of the signal that it waits for. */
  readonly signal?: string;
  /** The secret part of the id of the promise that it waits for. */
  readonly promise?: string;
}

class CallRow extends OverlayRow {
  constructor(
    readonly cause: number,
    readonly call: number,
    public made: MadeCall,
  ) {
    super();
  }
}

const idOf = (cause: number, call: number): string => `${cause}/${call}`;

/** So many calls of one handler are taken out at a time. */
const PAGE = 1_000;

/** The calls and steps that handlers of open commands have made, by their cause and their number. */
export class MadeCalls {
  readonly #rows = new Overlay<string, CallRow>();
  /** Those of the rows that are there: an answered cause takes its own out. */
  readonly #byCause = new Map<number, Set<CallRow>>();

  constructor(private readonly files: KeptRows) {}

  /** Rows that are to be written. */
  get changes(): number {
    return this.#rows.size;
  }

  get(cause: number, call: number): MadeCall | undefined {
    return this.#find(cause, call)?.made;
  }

  /** The highest number of a call of this cause; 0 where there is none. */
  last(cause: number): number {
    let last = 0;
    for (const { call, isThere } of this.#byCause.get(cause) ?? []) if (isThere) last = Math.max(last, call);
    for (let after = last; ; ) {
      const range = { after: [cause, after], before: [cause, Number.MAX_SAFE_INTEGER] };
      const numbers = this.files.page('calls', range, PAGE, (key) => Number((key as readonly TableKey[])[1]));
      for (const call of numbers) if (this.#find(cause, call) !== undefined) last = Math.max(last, call);
      after = numbers.at(-1) ?? after;
      if (numbers.length < PAGE) return last;
    }
  }

  /** All of this cause, in the order of their numbers. */
  *of(cause: number): IterableIterator<MadeCall> {
    const last = this.last(cause);
    for (let call = 1; call <= last; call++) {
      const made = this.get(cause, call);
      if (made !== undefined) yield made;
    }
  }

  /** Adds a call; false where there is one of that number already, which stays. */
  add(cause: number, call: number, made: MadeCall): boolean {
    if (this.#find(cause, call) !== undefined) return false;
    this.#changed(new CallRow(cause, call, made));
    return true;
  }

  /** A wait has its wake; gives the wait. The first one counts. */
  woken(cause: number, call: number, wakeSeq: number): MadeCall | undefined {
    const row = this.#find(cause, call);
    if (row === undefined || row.made.untilMs === undefined || row.made.resultSeq !== null) return undefined;
    const { made } = row;
    row.made = { ...made, resultSeq: wakeSeq };
    this.#changed(row);
    return made;
  }

  /** The waits of a cause that have no wake, by their numbers. */
  waits(cause: number): readonly (MadeCall & { readonly call: number; readonly untilMs: number })[] {
    const found: (MadeCall & { readonly call: number; readonly untilMs: number })[] = [];
    for (let call = 1; call <= this.last(cause); call++) {
      const made = this.get(cause, call);
      if (made?.untilMs !== undefined && made.resultSeq === null)
        found.push({ ...made, call, untilMs: made.untilMs });
    }
    return found;
  }

  /** The command of a call has its result. */
  answered({ cause, call }: { cause: number; call: number }, command: number, resultSeq: number): void {
    const row = this.#find(cause, call);
    if (row === undefined || row.made.seq !== command) return;
    row.made = { ...row.made, resultSeq };
    this.#changed(row);
  }

  /** The cause is answered: its handler runs no more. `mayBeKept`: the files may have some of its calls. */
  forget(cause: number, mayBeKept: boolean): void {
    for (const row of this.#byCause.get(cause) ?? []) {
      if (row.isThere) this.#rows.gone(idOf(cause, row.call), row);
    }
    this.#byCause.delete(cause);
    for (let after = -1; mayBeKept; ) {
      const range = { after: [cause, after], before: [cause, Number.MAX_SAFE_INTEGER] };
      const numbers = this.files.page('calls', range, PAGE, (key) => Number((key as readonly TableKey[])[1]));
      for (const call of numbers) {
        const row = this.#find(cause, call);
        if (row !== undefined) this.#rows.gone(idOf(cause, call), row);
      }
      after = numbers.at(-1) ?? after;
      if (numbers.length < PAGE) return;
    }
  }

  take(): RowChanges {
    return [...this.#rows.take().values()].map(({ cause, call, made, isThere }) => [
      [cause, call],
      isThere ? JSON.stringify(made) : null,
    ]);
  }

  kept(): void {
    this.#rows.kept();
    this.#byCause.clear();
    for (const [, row] of this.#rows.rows()) if (row.isThere) this.#note(row);
  }

  putBack(): void {
    this.#rows.putBack();
  }

  #changed(row: CallRow): void {
    this.#rows.changed(idOf(row.cause, row.call), row);
    this.#note(row);
  }

  #note(row: CallRow): void {
    const rows = this.#byCause.get(row.cause);
    if (rows === undefined) this.#byCause.set(row.cause, new Set([row]));
    else rows.add(row);
  }

  #find(cause: number, call: number): CallRow | undefined {
    const row = this.#rows.find(idOf(cause, call)) ?? this.#inFiles(cause, call);
    return row?.isThere === true ? row : undefined;
  }

  #inFiles(cause: number, call: number): CallRow | undefined {
    const made = this.files.row('calls', [cause, call], (text) => JSON.parse(text) as MadeCall);
    if (made === undefined) return undefined;
    const row = new CallRow(cause, call, made);
    row.isKept = true;
    return row;
  }
}
