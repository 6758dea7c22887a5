/** What the broker and a process that tries a module's code say to each other, by messages of Node between parent and child. */

/** A record of the module's past, as far as states are folded from it. */
export interface TrialRecord {
  readonly seq: number;
  readonly timeMs: number;
  readonly subject: string;
  /** From `NATS/1.0` to the empty line; empty when it has none. */
  readonly headerBytes: Uint8Array;
  readonly data: Uint8Array;
}

/** The broker sends records, one group after each answer, and an empty group behind the last. */
export interface TrialGroup {
  readonly records: readonly TrialRecord[];
}

/** The process says that its code is loaded, then that a group is folded. What is wrong it says as it ends. */
export type TrialAnswer = 'loaded' | 'folded';
