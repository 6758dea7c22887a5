import { isName } from '../../schemas/names.js';
import type { RowChanges } from './index-store.js';
import type { KeptRows } from './kept-rows.js';

/** What a repair has left of the outcomes of a module. */
export interface Whole {
  /** All up to this sequence have their copies. */
  readonly seq: number;
  /** Whether what ran as the module since then acknowledges a command only when its copies are stored. */
  readonly acksWhole: boolean;
}

/** What the log has of a module's own records: results, events, and commands that it sent. Sequences. */
export interface OwnRecords {
  /** What the last repair left; undefined before the first. */
  readonly whole?: Whole;
  /** The first one; undefined where it has none. */
  readonly first?: number;
  /** The first one behind the last repair. */
  readonly since?: number;
}

const NONE: OwnRecords = {};

/** Keys of the table come behind this one. */
const BEFORE_ALL = '';

/**
 * From where on outcomes of a module may lack copies: behind what a repair has gone through, at the first record that
 * the module has there. An acknowledgement says nothing of it, since anybody may acknowledge what he has not done.
 * All of it is in memory: one row for each module that ever had an epoch or an event.
 */
export class WholeOutcomes {
  #rows = new Map<string, OwnRecords>();
  /** The last own record of each, of those that this process has read. */
  readonly #last = new Map<string, number>();
  #changed = new Set<string>();
  #taken = new Set<string>();

  constructor(private readonly files: KeptRows) {}

  load(): void {
    const parse = (key: unknown, text: string) => [String(key), JSON.parse(text) as OwnRecords] as const;
    const range = { after: BEFORE_ALL };
    this.#rows = new Map(this.files.page('whole', range, Number.POSITIVE_INFINITY, parse));
  }

  get changes(): number {
    return this.#changed.size;
  }

  /** What is known up to where the index stands. */
  of(module: string): OwnRecords {
    return this.#rows.get(module) ?? NONE;
  }

  /** An epoch of a module, or of another producer. A module without any has written nothing but events. */
  epoch(producer: string): void {
    if (!this.#rows.has(producer) && isName(producer)) this.#set(producer, NONE);
  }

  /** An event of a module; a trusted program may write it before the module ever ran. */
  event(module: string, seq: number): void {
    this.epoch(module);
    this.record(module, seq);
  }

  /**
   * A result for a command to a module. `isOwn`: whether the module itself wrote it. That is asked only of a module
   * without a row: its epoch may be lost. The broker answers commands to modules that do not exist: no row for those.
   */
  result(module: string, seq: number, isOwn: () => boolean): void {
    if (!this.#rows.has(module) && isOwn()) this.epoch(module);
    this.record(module, seq);
  }

  /** A command that a module sent, or one of its other records. In order of the log. */
  record(module: string, seq: number): void {
    const row = this.#rows.get(module);
    if (row === undefined) return;
    this.#last.set(module, seq);
    const { whole, first, since } = row;
    if (first !== undefined && (since !== undefined || seq <= (whole?.seq ?? 0))) return;
    const isBehind = since === undefined && seq > (whole?.seq ?? 0);
    this.#set(module, { ...row, first: first ?? seq, ...(isBehind ? { since: seq } : {}) });
  }

  /** A repair has stored what was missing. The index has read up to where it went. */
  set(module: string, whole: Whole): void {
    const { first } = this.of(module);
    const isBehind = (this.#last.get(module) ?? 0) > whole.seq;
    this.#set(module, {
      whole,
      ...(first === undefined ? {} : { first }),
      // The very first of those is not known any more; none of them is below this.
      ...(isBehind ? { since: whole.seq + 1 } : {}),
    });
  }

  take(): RowChanges {
    this.#taken = this.#changed;
    this.#changed = new Set();
    return [...this.#taken].map((module) => [module, JSON.stringify(this.of(module))]);
  }

  kept(): void {
    this.#taken.clear();
  }

  putBack(): void {
    for (const module of this.#taken) this.#changed.add(module);
    this.#taken.clear();
  }

  #set(module: string, row: OwnRecords): void {
    this.#rows.set(module, row);
    this.#changed.add(module);
  }
}
