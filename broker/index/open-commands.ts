import { HEADER } from '../../schemas/headers.js';
import { parseSequence } from '../../schemas/identity.js';
import { parseInstant } from '../../schemas/instant.js';
import { causeOf, conversationOf, type StoredMessage } from '../../schemas/record.js';
import type { Address, CommandSubject } from '../../schemas/subjects.js';
import { keyOf } from './command-keys.js';
import { CommandRow, isOf, moreOf, type OpenCommand, rowOf, waitsAs } from './command-row.js';
import { MadeCalls, type MadeCall } from './made-calls.js';
import type { IndexContentsChange, RowChanges } from './index-store.js';
import type { TableKey } from '../../store/log-index/index-files.js';
import type { KeptRows } from './kept-rows.js';
import type { KeptSignals } from './kept-signals.js';
import { NEVER, type OpenWait, type OpenWaits } from './open-waits.js';
import { Overlay } from './overlay.js';
import type { KeptPast } from './restarts.js';

export { type OpenCommand, waitsAs } from './command-row.js';
export type { MadeCall } from './made-calls.js';

const END = Number.MAX_SAFE_INTEGER;

/**
 * The commands that are open, and the calls that handlers of open commands have made: folded from the log's headers
 * in order. It answers who may be named as a cause, and gives a handler that runs again the answers that the log
 * already has. They lie in the files; in memory is what has changed since.
 */
export class OpenCommands {
  readonly #rows = new Overlay<number, CommandRow>();
  readonly #calls: MadeCalls;
  /**
   * What the files had of the modules in the group that is being written: they may have that group before this is
   * told.
   */
  readonly #before = new Map<string, number>();
  #size = 0;

  constructor(
    private readonly files: KeptRows,
    private readonly open: Pick<OpenWaits, 'add' | 'over' | 'countOf'>,
    private readonly signals: Pick<KeptSignals, 'waits' | 'over' | 'taken'>,
  ) {
    this.#calls = new MadeCalls(files);
  }

  /** Takes in how many the files have. */
  load(): void {
    this.#size = this.files.count('commands');
  }

  get size(): number {
    return this.#size;
  }

  /** Rows that are to be written. */
  get changes(): number {
    return this.#rows.size + this.#calls.changes;
  }

  get(seq: number): OpenCommand | undefined {
    return this.#find(seq);
  }

  call(cause: number, call: number): MadeCall | undefined {
    return this.#calls.get(cause, call);
  }

  /** The calls and waits of the handler of an open command. */
  callsOf(cause: number): Iterable<MadeCall> {
    return this.#calls.of(cause);
  }

  /** The highest number of the calls that the handler of an open command has made; 0 where it has made none. */
  lastCall(cause: number): number {
    return this.#calls.last(cause);
  }

  /** Open commands behind a sequence, in the order of the log. */
  page(after: number, limit: number): readonly OpenCommand[] {
    const changed = this.#changed((row) => row.seq > after);
    const kept = this.files.page('commands', { after }, limit, (key, text) => {
      const seq = Number(key);
      return changed.has(seq) ? undefined : rowOf(seq, text);
    });
    return merged(kept, changed, limit);
  }

  /** Open commands of a module behind a sequence, in the order of the log; the module as {@link waitsAs} names it. */
  pageOf(module: string, after: number, limit: number): readonly OpenCommand[] {
    const changed = this.#changed((row) => row.seq > after && isOf(row, module));
    const range = { after: [module, after], before: [module, END] };
    const kept = this.files.page('waiting', range, limit, (key) => {
      const seq = Number((key as readonly TableKey[])[1]);
      return changed.has(seq) ? undefined : seq;
    });
    return merged(
      kept.flatMap((seq) => this.#fromFiles(seq) ?? []),
      changed,
      limit,
    );
  }

  /** The lowest open command of a module: what is below is answered. */
  lowestOf(module: string): number | undefined {
    return this.pageOf(module, 0, 1)[0]?.seq;
  }

  /** How many commands of a module are open. */
  countOf(module: string): number {
    let count = this.#before.get(module) ?? this.#inFiles(module);
    for (const [, row] of this.#rows.rows()) if (isOf(row, module)) count += moreOf(row);
    return count;
  }

  /** Modules with open commands, by name, behind this one; maybe one whose last command has just been answered. */
  modules(after: string, limit: number): readonly string[] {
    const found = new Set(this.files.page('counts', { after }, limit, (key) => String(key)));
    for (const [, row] of this.#rows.rows()) {
      const module = waitsAs(row);
      if (row.isThere && module > after) found.add(module);
    }
    return [...found].sort().slice(0, limit);
  }

  command(message: StoredMessage, subject: CommandSubject): OpenCommand {
    const cause = causeOf(message);
    const call = cause === undefined ? undefined : parseSequence(message.header(HEADER.call) ?? '');
    const calledBy = cause !== undefined && call !== undefined ? { cause, call } : null;
    const { seq } = message;
    const { module, name, agent, sender } = subject;
    const key = keyOf(message);
    const keyed = key === undefined ? null : { sender, key };
    const conversation = conversationOf(message);
    const open = new CommandRow(
      seq,
      module,
      name,
      agent,
      sender,
      conversation,
      calledBy,
      keyed,
      false,
      0,
      false,
      0,
    );
    this.#rows.changed(seq, open);
    this.#size += 1;
    if (calledBy !== null) this.#called(calledBy, open, sender);
    return open;
  }

  /** A command that was restarted has operations of the one before as its own: each has ended. */
  keep(cause: number, { before, kept }: KeptPast): void {
    const open = this.#find(cause);
    if (open === undefined) return;
    open.before = before;
    open.hasCalls ||= kept.length > 0;
    // Of a wait the wake is asked for too, and it is due no more.
    for (const [i, { kind, seq, end }] of kept.entries())
      this.#calls.add(cause, i + 1, { seq, resultSeq: end, ...(kind === 'wait' ? { untilMs: 0 } : {}) });
    this.#rows.changed(cause, open);
  }

  /** Whether a command has no result yet, as far as the log was read. */
  isOpen(seq: number): boolean {
    return this.#find(seq) !== undefined;
  }

  /** Closes the command that this result answers; undefined when it answers none that is open. */
  result(message: StoredMessage, subject: Address): OpenCommand | undefined {
    const cause = causeOf(message);
    const open = cause === undefined ? undefined : this.#find(cause);
    if (open === undefined || waitsAs(open) !== subject.module) return undefined;
    const mayWait = open.hasCalls && this.open.countOf(open.module) > 0;
    if (mayWait) for (const wait of this.waitsOf(open.seq)) this.#over(wait);
    this.#rows.gone(open.seq, open);
    this.#size -= 1;
    if (open.hasCalls) this.#calls.forget(open.seq, open.isKept || open.isWritten !== undefined);
    if (open.calledBy !== null) this.#calls.answered(open.calledBy, open.seq, message.seq);
    return open;
  }

  /** A step of the handler of an open command; of the module itself, since no other may write its subject. */
  step(message: StoredMessage, { module }: Address): void {
    const cause = causeOf(message);
    const call = parseSequence(message.header(HEADER.call) ?? '');
    if (cause === undefined || call === undefined) return;
    const [until, signal] = [message.header(HEADER.until), message.header(HEADER.signal)];
    const promise = message.header(HEADER.promise);
    const isEndless = until === undefined && (signal !== undefined || promise !== undefined);
    const untilMs = isEndless ? NEVER : parseInstant(until ?? '');
    const { seq } = message;
    if (untilMs === undefined) return void this.#made({ cause, call }, { seq, resultSeq: seq }, module);
    const named = {
      ...(signal === undefined ? {} : { signal }),
      ...(promise === undefined ? {} : { promise }),
    };
    if (!this.#made({ cause, call }, { seq, resultSeq: null, untilMs, ...named }, module)) return;
    for (const wait of this.waitsOf(cause)) {
      if (wait.call !== call) continue;
      this.open.add(wait);
      this.signals.waits(wait);
    }
  }

  #over(wait: OpenWait): void {
    this.open.over(wait);
    this.signals.over(wait);
  }

  /** A wake of the handler of an open command, by the broker. Whether it ended a wait. */
  woken(message: StoredMessage, { module }: Address): boolean {
    const cause = causeOf(message);
    const call = parseSequence(message.header(HEADER.call) ?? '');
    if (cause === undefined || call === undefined || this.#find(cause)?.module !== module) return false;
    const wait = this.waitsOf(cause).find((each) => each.call === call);
    if (wait === undefined || this.#calls.woken(cause, call, message.seq) === undefined) return false;
    this.#over(wait);
    const signal = parseSequence(message.header(HEADER.signal) ?? '');
    if (wait.signal !== undefined && signal !== undefined) this.signals.taken(wait.signal, signal);
    return true;
  }

  /** The waits of the handler of an open command that have no wake, by their numbers. */
  waitsOf(cause: number): readonly OpenWait[] {
    const command = this.#find(cause);
    if (command === undefined) return [];
    const { module, agent } = command;
    return this.#calls.waits(cause).map(({ call, untilMs, signal: name, promise }) => {
      const signal = name === undefined || agent === undefined ? {} : { signal: { module, agent, name } };
      return { cause, call, module, untilMs, ...signal, ...(promise === undefined ? {} : { promise }) };
    });
  }

  /** Notes the cancel of an open command; undefined: it is open no more, or cancelled already. */
  cancel(message: StoredMessage, { module }: Address): OpenCommand | undefined {
    const cause = causeOf(message);
    const open = cause === undefined ? undefined : this.#find(cause);
    if (open === undefined || open.cancel !== 0 || waitsAs(open) !== module) return undefined;
    open.cancel = message.seq;
    this.#rows.changed(open.seq, open);
    return open;
  }

  /** A step or a wake by which the handler of an open command has met its cancel. */
  metCancel(message: StoredMessage): void {
    const open = this.#find(causeOf(message) ?? 0);
    if (open === undefined || open.cancel === 0 || open.isCancelMet) return;
    open.isCancelMet = true;
    this.#rows.changed(open.seq, open);
  }

  /** Calls of a handler that have no result, so many at most. */
  unanswered(cause: number, limit: number): readonly OpenCommand[] {
    const found: OpenCommand[] = [];
    for (const { seq, resultSeq } of this.#calls.of(cause)) {
      const open = resultSeq === null ? this.#find(seq) : undefined;
      if (open !== undefined && found.push(open) === limit) break;
    }
    return found;
  }

  /** What is to be written of it. */
  take(): IndexContentsChange {
    const commands: [TableKey, string | null][] = [];
    const waiting: [TableKey, string | null][] = [];
    const counts = new Map<string, number>();
    for (const [seq, row] of this.#rows.take()) {
      commands.push([seq, row.isThere ? row.toText() : null]);
      const more = moreOf(row);
      if (more === 0) continue;
      const module = waitsAs(row);
      waiting.push([[module, seq], row.isThere ? '' : null]);
      counts.set(module, (counts.get(module) ?? 0) + more);
    }
    for (const module of counts.keys()) this.#before.set(module, this.#inFiles(module));
    const rows: Record<string, RowChanges> = { commands, waiting, calls: this.#calls.take() };
    return { rows, counts: [...counts] };
  }

  kept(): void {
    this.#before.clear();
    this.#rows.kept();
    this.#calls.kept();
  }

  putBack(): void {
    this.#before.clear();
    this.#rows.putBack();
    this.#calls.putBack();
  }

  #find(seq: number): CommandRow | undefined {
    const row = this.#rows.find(seq) ?? this.#fromFiles(seq);
    return row?.isThere === true ? row : undefined;
  }

  #inFiles(module: string): number {
    return this.files.row('counts', module, Number) ?? 0;
  }

  #fromFiles(seq: number): CommandRow | undefined {
    return this.files.row('commands', seq, (text) => rowOf(seq, text));
  }

  /** Only what the cause's own module sent is a call of its handler; anyone can write a header. */
  #called(place: NonNullable<OpenCommand['calledBy']>, command: CommandRow, sender: string): void {
    this.#made(place, { seq: command.seq, resultSeq: null }, sender);
  }

  #made({ cause, call }: NonNullable<OpenCommand['calledBy']>, made: MadeCall, by: string): boolean {
    const open = this.#find(cause);
    if (open?.module !== by || !this.#calls.add(cause, call, made)) return false;
    if (open.hasCalls) return true;
    open.hasCalls = true;
    this.#rows.changed(cause, open);
    return true;
  }

  #changed(isMeant: (row: CommandRow) => boolean): ReadonlyMap<number, CommandRow> {
    const changed = new Map<number, CommandRow>();
    for (const [seq, row] of this.#rows.rows()) if (isMeant(row)) changed.set(seq, row);
    return changed;
  }
}

/** What the files have and what has changed since, in order. */
const merged = (
  kept: readonly CommandRow[],
  changed: ReadonlyMap<number, CommandRow>,
  limit: number,
): readonly OpenCommand[] => {
  const open = [...changed.values()].filter(({ isThere }) => isThere);
  return [...kept, ...open].sort((a, b) => a.seq - b.seq).slice(0, limit);
};
