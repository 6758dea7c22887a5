import type { SnapshotPosition } from './snapshot-files.js';

/** What happened to one agent since the group before. */
export interface AgentChange {
  readonly agent: string;
  /** Sequences of the results that changed it, in order; the last one is where the state stands. */
  readonly sequences: readonly number[];
  /** When the last of them was stored, milliseconds since 1970. */
  readonly timeMs: number;
  /** Its state then, JSON. */
  readonly state: string;
  /** Keep a snapshot of this, from which earlier states are found later. */
  readonly keep: boolean;
}

/** One transaction: states with the position that they stand at. An agent may be in it more than once, in order. */
export interface Group {
  readonly changes: readonly AgentChange[];
  readonly position: SnapshotPosition;
}

/** A snapshot is kept of every so many changes of an agent: folding what is behind one takes some milliseconds. */
export const KEEP_EVERY = 256;
/** So many of an agent's kept snapshots stay; of older ones one in {@link KEEP_ONE_IN}, with the sequences of all. */
export const KEEP_RECENT = 64;
export const KEEP_ONE_IN = 4;
/**
 * States up to this size stay, however old: the sequences with them take as much, and a state of the past is found in a
 * quarter of the time.
 */
export const KEEP_SMALL_BYTES = 1_024;
