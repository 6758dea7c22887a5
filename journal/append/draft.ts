import type { Either } from 'fp-ts/lib/Either.js';
import type { Fault } from '../../schemas/errors.js';

/**
 * A record to be appended. Identity and fence are the appender's to add, and schema version 1 where `headers` has none:
 * only the events and results of a module have a separate version.
 */
export interface Draft {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Where a record stands in the log. */
export interface Receipt {
  readonly seq: number;
  readonly n: number;
}

/** What became of one record: where it stands, or a fault that says by {@link isInLog} whether it is there at all. */
export type Appended = Either<Fault, Receipt>;

export type Settle = (outcome: Appended) => void;

/** Why a list of records is not in the log as a whole. */
export interface JournalError {
  /** Of the first record that was not stored, or of which that is not known. */
  readonly fault: Fault;
  /** What became of each, in their order. */
  readonly records: readonly Appended[];
}

/** Whether a record is in the log: `unknown` only where that could not be learned in time. */
export const isInLog = (outcome: Appended): 'yes' | 'no' | 'unknown' => {
  if (outcome._tag === 'Right') return 'yes';
  return outcome.left.code === 'LOG_UNCERTAIN' ? 'unknown' : 'no';
};
