import type { Either } from 'fp-ts/lib/Either.js';
import type { Fault } from '../../schemas/errors.js';
import type { Draft } from '../append/draft.js';
import type { LastEpoch } from '../epochs/epoch-source.js';
import type { NumberedRun } from '../append/numbering.js';

/** A record that was accepted, and its place among all that this producer has accepted in its lives. */
export interface Kept {
  readonly order: number;
  readonly draft: Draft;
}

/** Which epoch records were last sent under, and which number each has there. */
export interface SentUnder extends LastEpoch {
  /** Whose epoch: the records of another producer are not this one's to send. */
  readonly producer: string;
  readonly numbering: readonly NumberedRun[];
}

/** What the processes before left. */
export interface OutboxBacklog {
  /** Absent: nothing was ever sent. */
  readonly sent: SentUnder | undefined;
  /** In the order in which they were accepted; some may be in the log already. */
  readonly kept: readonly Kept[];
}

/** What became of keeping a record: from a right on, the death of this process does not lose it. */
export type OnKept = (outcome: Either<Fault, void>) => void;

/**
 * Keeps a producer's records on disk from their acceptance until they are settled, so that its death loses none.
 * Records go to the log side by side with this: what is stored first need not be kept at all.
 */
export interface Outbox {
  readonly left: OutboxBacklog;
  /**
   * Notes, before anything of an epoch is sent, which number each record will have in it: by that, what is stored of
   * it is known again. Where it cannot be noted the outbox says so and is out of use from then on; nothing may be
   * sent twice.
   */
  readonly begin: (sent: SentUnder) => Promise<void>;
  readonly keep: (kept: Kept, onKept: OnKept) => void;
  /** The record is in the log, and everything up to that sequence is settled. */
  readonly settled: (order: number, settledSeq: number) => void;
  /** Whether it is gone permanently. Only then may its sender learn that it is not stored. */
  readonly forget: (order: number) => Promise<boolean>;
  /** Writes what is to be kept. Idempotent. */
  readonly close: () => Promise<void>;
}
