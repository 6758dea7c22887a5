import type { RootDatabase } from 'lmdb';
import { openLmdb } from '../snapshots/open-lmdb.js';

interface Position {
  /** Identity of the log that this was read from. */
  readonly logId: string;
  /** Everything below is in the index, and no command below is open. */
  readonly resumeFrom: number;
}

const POSITION = 'position';

/**
 * Which agents there are, in LMDB, with the position that reading the log goes on from. Agents and position are one
 * transaction, so a killed broker neither skips nor has to read all again.
 */
export class AgentIndex {
  readonly #db: RootDatabase<unknown, string>;
  readonly #known = new Set<string>();
  #fresh: string[] = [];

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
  }

  readonly logId: string;
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

  /** Writes what is new, with the position; resolves when it is on disk. */
  async save(resumeFrom: number): Promise<void> {
    const fresh = this.#fresh;
    this.#fresh = [];
    await this.#db.transaction(() => {
      for (const key of fresh) void this.#db.put(`agent/${key}`, true);
      void this.#db.put(POSITION, { logId: this.logId, resumeFrom } satisfies Position);
    });
  }

  async close(): Promise<void> {
    await this.#db.close();
  }
}
