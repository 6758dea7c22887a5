import type { Payload } from '../../schemas/payload.js';
import type { TraceOutcome, OutcomeError } from './trace-outcome.js';
import type { TraceRecord } from './trace-record.js';

/**
 * What a record is to the one above it: `first` of the conversation; a `call` or a `step` that the handler made; a
 * `copy` that the result carries; `caused` by it in any other way; `redrive` of its dead letter; `joined`: nothing in
 * the conversation caused it, it names the conversation itself.
 */
export type Role = 'first' | 'call' | 'step' | 'wake' | 'copy' | 'caused' | 'redrive' | 'joined';

/** From and to, milliseconds behind the first record. */
export type Span = readonly [fromMs: number, toMs: number];

/** What became of a command. Milliseconds are null while it is open. */
export interface Handling {
  readonly result: TraceRecord | null;
  readonly outcome: TraceOutcome;
  readonly error: OutcomeError | null;
  /** What the caller was given; null where there is nothing. */
  readonly data: Payload | null;
  /** From stored to its result stored. */
  readonly tookMs: number | null;
  /** Of that, until its agent had answered what came before; the log shows it by the results of that agent. */
  readonly waitedMs: number;
  /** Commands that it waited for. */
  readonly waitedFor: number;
  /** Of that, while calls that its handler made were under way: where they overlap, once. */
  readonly callsMs: number;
  readonly callSpans: readonly Span[];
  /**
   * The rest: delivery, waiting for a place or for another try, handling, storing. The log does not tell these apart.
   */
  readonly ownMs: number | null;
  /** From its result stored to the last of its copies stored; 0 where it carries none. */
  readonly copiesMs: number;
  /** It is a dead letter, tried so often. */
  readonly dead: number | null;
  /** Subjects of copies that its result carries and that were not found. */
  readonly missing: readonly string[];
}

/** A command of a trace, with its result and the records that it caused. */
export interface TraceNode {
  readonly record: TraceRecord;
  readonly role: Role;
  /** Milliseconds behind the first record. */
  readonly atMs: number;
  /** Of a command; its result is here, and is no separate node. */
  readonly handling: Handling | null;
  /** A record that does not match: a second result, or a copy that no result promised. */
  readonly problem: string | null;
  /** In log order. */
  readonly children: readonly TraceNode[];
  /** Records from here down, results included. */
  readonly size: number;
}

/** A conversation as a tree by cause. Each of its records is in it once: as a node, or as the result of one. */
export interface Trace {
  /** Sequence of the first record. */
  readonly conversation: number;
  readonly records: number;
  readonly commands: number;
  /** Commands by outcome; those that there are. */
  readonly outcomes: Readonly<Partial<Record<TraceOutcome, number>>>;
  /** When the first record was stored, RFC 3339; null of no records. */
  readonly began: string | null;
  /** From the first record to the latest, milliseconds. */
  readonly spanMs: number;
  /** Parents before children, in log order. */
  readonly nodes: readonly TraceNode[];
  /** The first record, and what joined it later. */
  readonly roots: readonly TraceNode[];
}
