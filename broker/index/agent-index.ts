import type { RootDatabase } from 'lmdb';
import { openLmdb } from '../lmdb/open-lmdb.js';
import { Redrives } from './redrives.js';

interface Position {
  /** Identity of the log that this was read from. */
  readonly logId: string;
  /** Everything below is in the index, and no command below is open. */
  readonly resumeFrom: number;
}

const POSITION = 'position';

/**
 * Which agents there are, what schedules have sent and which commands redrive dead letters, in LMDB, with the position
 * that reading the log goes on from. All of it is one transaction, so a killed broker neither skips nor has to read all again.
 */
export class AgentIndex {
  readonly #db: RootDatabase<unknown, string>;
  readonly #known = new Set<string>();
  #fresh: string[] = [];
  /** Firings of schedules that are in the log and not on disk here, by schedule. */
  #fired = new Map<string, number>();

  constructor(dir: string, logId: string, lastSeq: number, onDamaged: (reason: string) => void) {
    this.#db = openLmdb(dir, {}, onDamaged);
    const position = this.#db.get(POSITION) as Position | undefined;
    // Of another log, or ahead of this one, which then lost its tail (I9): what it says is of no use.
    this.discarded =
      position !== undefined && (position.logId !== logId || position.resumeFrom > lastSeq + 1);
    if (this.discarded) this.#db.clearSync();
    this.resumeFrom = this.discarded ? 1 : (position?.resumeFrom ?? 1);
    this.logId = logId;
    for (const key of this.#db.getKeys({ start: 'agent/', end: 'agent0' })) this.#known.add(key.slice(6));
    for (const { key, value } of this.#db.getRange({ start: 'redrive/', end: 'redrive0' })) {
      this.redrives.load(key.slice(8), value);
    }
  }

  readonly logId: string;
  readonly redrives = new Redrives();
  /** Where to read on. */
  readonly resumeFrom: number;
  /** Whether what was there was thrown away. */
  readonly discarded: boolean;

  get size(): number {
    return this.#known.size;
  }

  add(module: string, agent: string): void {
    const key = `${module}/${agent}`;
    if (this.#known.has(key)) return;
    this.#known.add(key);
    this.#fresh.push(key);
  }

  /** The log has what this schedule sent up to a firing, which its next due time names; see {@link lastFiring}. */
  fired(schedule: string, nextMs: number): void {
    if ((this.lastFiring(schedule) ?? -1) < nextMs) this.#fired.set(schedule, nextMs);
  }

  /** The due time behind the last firing that the log has, milliseconds since 1970; undefined when it has none. */
  lastFiring(schedule: string): number | undefined {
    return this.#fired.get(schedule) ?? (this.#db.get(`fired/${schedule}`) as number | undefined);
  }

  /** Writes what is new, with the position; resolves when it is on disk. */
  async save(resumeFrom: number): Promise<void> {
    const fresh = this.#fresh;
    this.#fresh = [];
    const fired = [...this.#fired];
    const redrives = this.redrives.fresh();
    await this.#db.transaction(() => {
      for (const key of fresh) void this.#db.put(`agent/${key}`, true);
      for (const [schedule, nextMs] of fired) void this.#db.put(`fired/${schedule}`, nextMs);
      for (const [key, result] of redrives) void this.#db.put(`redrive/${key}`, result);
      void this.#db.put(POSITION, { logId: this.logId, resumeFrom } satisfies Position);
    });
    // Only now is it found on disk.
    this.redrives.kept(redrives);
    for (const [schedule, nextMs] of fired) {
      if (this.#fired.get(schedule) === nextMs) this.#fired.delete(schedule);
    }
  }

  async close(): Promise<void> {
    await this.#db.close();
  }
}
