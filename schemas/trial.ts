/**
 * The messages between the broker and a process that tries a module's code. They are messages of Node between parent
 * and child.
 */

/** A record of the module's past that states are folded from. */
export interface TrialRecord {
  readonly seq: number;
  readonly timeMs: number;
  readonly subject: string;
  /** From `NATS/1.0` to the empty line; empty when it has none. */
  readonly headerBytes: Uint8Array;
  readonly data: Uint8Array;
}

/** The broker sends records, one group after each reply, and an empty group after the last. */
export interface TrialGroup {
  readonly records: readonly TrialRecord[];
}

/** The process reports that its code is loaded, then each folded group. It reports a problem as it ends. */
export type TrialAnswer = 'loaded' | 'folded';
