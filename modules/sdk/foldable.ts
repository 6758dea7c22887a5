import type { Either } from 'fp-ts/lib/Either.js';
import type { Fault } from '../../schemas/errors.js';
import type { StoredMessage } from '../../schemas/record.js';
import type { AnyEvent } from './checked-outcome.js';

/** What of a record a state is made of. */
export type FoldableRecord = Pick<StoredMessage, 'seq' | 'time' | 'subject' | 'header' | 'data'>;

/** What one record says of a module's states. */
export interface Foldable {
  /** Whose state; empty for that of the module itself. */
  readonly agent: string;
  /** What happened to it, in order, in the shapes of today's manifest. */
  readonly events: readonly AnyEvent[];
}

/**
 * Reads one record: undefined where it says nothing of the module's states. SCHEMA_TOO_NEW, where its events are of a
 * later version than the module's code; FOLD_FAILED, where they cannot be read or be given the shapes of today.
 */
export type ReadFoldable = (record: FoldableRecord) => Either<Fault, Foldable | undefined>;
