import type { Rates } from './burst-schedule.js';
import type { Counts } from './latencies.js';
import type { PhaseName } from './burst-schedule.js';

/** The two kinds of load, and the module of each. */
export const KINDS = {
  events: { module: 'burst', name: 'counted' },
  calls: { module: 'burst-calls', name: 'count' },
} as const;
export type LoadKind = keyof typeof KINDS;

/** What a producer's process is told. */
export interface ProducerSetting {
  readonly kind: LoadKind;
  readonly url: string;
  /** Seed of the key that it connects with; without it, as a guest. */
  readonly seed?: string;
  /** Its account, which the log has behind the subject of each of its commands. */
  readonly sender: string;
  /** Which of the producers, from 0. */
  readonly index: number;
  readonly producers: number;
  readonly rates: Rates;
  readonly agents: number;
  /** Of the payload, bytes. */
  readonly size: number;
  /** Where it writes down what was acknowledged. */
  readonly ledger: string;
}

/** Sequence of a record, and when it was due, milliseconds since 1970. */
export type Sample = readonly [seq: number, dueAt: number];

/** What a producer tells of the time since it last did. */
export interface ProducerNews {
  readonly sent: number;
  readonly acked: number;
  /** Told by the journal that it is not in the log; not sent again. */
  readonly refused: number;
  /** Of which the journal cannot say whether it is in the log. */
  readonly unknown: number;
  /** How often the journal asked for a pause. */
  readonly pushedBack: number;
  readonly lastSeq: number;
  /** How often its connection or its epoch was lost, and what was acknowledged since it last was. */
  readonly reopened: number;
  readonly ackedSince: number;
  readonly latencies: Readonly<Partial<Record<PhaseName, Counts>>>;
  readonly samples: readonly Sample[];
}

export type FromProducer =
  | { readonly is: 'ready' }
  | { readonly is: 'news'; readonly news: ProducerNews }
  /** All that was due is settled, and the ledger is on disk. */
  | { readonly is: 'done' }
  | { readonly is: 'failed'; readonly message: string };

/** Begins at that time, with that record: milliseconds since 1970. */
export interface ToProducer {
  readonly beginAt: number;
  readonly from: number;
}

/** Milliseconds since 1970, with parts: the same for all processes of a machine. */
export const now = (): number => performance.timeOrigin + performance.now();
