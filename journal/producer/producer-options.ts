import type { NatsConnection } from 'nats';
import type { Fault } from '../../schemas/errors.js';
import type { Appended } from '../append/draft.js';
import type { Grouping } from '../append/grouping.js';
import type { EpochSource } from '../epochs/epoch-source.js';
import type { OnKept, Outbox } from './outbox.js';

/** The connection, the name and the outbox of a producer. */
export interface ProducerOptions {
  readonly nc: NatsConnection;
  readonly name: string;
  readonly epochs: EpochSource;
  /**
   * What the subjects of its records begin with, as its epochs have them: after a break, a record is looked for there
   * alone. INTERNAL refuses another one: it would be sent again although it is stored. Absent: not checked.
   */
  readonly prefixes?: readonly string[];
  readonly grouping: Grouping;
  /** Records that are not settled; above it an append is refused with OVERLOADED. */
  readonly maxPending?: number;
  /** The same in bytes of payload. */
  readonly maxPendingBytes?: number;
  /** How long an append may wait for the log to come back before its caller is told, milliseconds. */
  readonly patienceMs?: number;
  /** How long the oldest record may go unacknowledged before the log is asked what was stored, milliseconds. */
  readonly ackTimeoutMs?: number;
  /** Another process has taken over as this producer; this one must stop. */
  readonly onReplaced: (reason: Fault) => void;
  readonly onReopen?: (reason: Fault) => void;
  /** Keeps what is not settled; the producer closes it. What it has of earlier processes is sent first. */
  readonly outbox?: Outbox;
}

/** How to treat a record that is submitted. */
export interface SubmitOptions {
  /** Whether the outbox keeps the record; default true. */
  readonly keep?: boolean;
  /** Told when it does, or why not. Without an outbox, and for what is settled before, it is not called. */
  readonly onKept?: OnKept;
  /**
   * No caller waits for it, and late is better than not at all: it is tried for as long as the producer lives, in its
   * order, and the limits on what is pending do not refuse it. Default false.
   */
  readonly patient?: boolean;
}

/** A record that the death of this process does not lose any more. */
export interface Accepted {
  /** What becomes of it. */
  readonly stored: Promise<Appended>;
}

export const PRODUCER_DEFAULTS = {
  patienceMs: 10_000,
  ackTimeoutMs: 10_000,
  maxPending: 100_000,
  maxPendingBytes: 64 * 1024 * 1024,
};
