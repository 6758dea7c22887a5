import type { RootDatabase } from 'lmdb';
import { openLmdb } from './open-lmdb.js';

/** An agent's state and the sequence of the last record that changed it. */
export interface Snapshot {
  readonly seq: number;
  readonly state: unknown;
}

/** Where a module's snapshots stand as a whole. */
export interface SnapshotPosition {
  /** Every record of the module up to here is folded in. */
  readonly seq: number;
  /** Identity of the log they were folded from. */
  readonly logId: string;
  /** Version of the module whose `evolve` folded them. */
  readonly version: string;
}

const POSITION = 'position';
const agentKey = (agent: string): string => `agent/${agent}`;

/**
 * States of one module's agents, in LMDB. States and position are one transaction: a process that is killed neither
 * skips nor repeats an event (I6). A snapshot is a means to start fast and never the truth: that is the log.
 */
export class SnapshotStore {
  readonly #db: RootDatabase<unknown, string>;

  constructor(dir: string, onDamaged: (reason: string) => void) {
    this.#db = openLmdb(dir, { encoding: 'json' }, onDamaged);
  }

  get position(): SnapshotPosition | undefined {
    return this.#db.get(POSITION) as SnapshotPosition | undefined;
  }

  get(agent: string): Snapshot | undefined {
    return this.#db.get(agentKey(agent)) as Snapshot | undefined;
  }

  /** Writes states with the position they stand at; resolves when the transaction is on disk. */
  async save(snapshots: Iterable<readonly [string, Snapshot]>, position: SnapshotPosition): Promise<void> {
    await this.#db.transaction(() => {
      for (const [agent, snapshot] of snapshots) void this.#db.put(agentKey(agent), snapshot);
      void this.#db.put(POSITION, position);
    });
  }

  /** Throws all away: of another log, of another version, or ahead of the log (I9). */
  clear(): void {
    this.#db.clearSync();
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}
