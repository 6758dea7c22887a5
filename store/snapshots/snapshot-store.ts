import { markDamaged, markSynced, markUnsynced } from '../lmdb/synced-mark.js';
import { Opening } from '../lmdb/opening.js';
import {
  type AgentChange,
  type Group,
  KEEP_ONE_IN,
  KEEP_RECENT,
  KEEP_SMALL_BYTES,
} from './snapshot-group.js';
import {
  agentKey,
  keptKey,
  openSnapshotsToWrite,
  POSITION,
  snapshotPosition,
  type SnapshotFiles,
  type SnapshotPosition,
} from './snapshot-files.js';
import { fieldKey, fieldValues } from './field-keys.js';
import { encodeSnapshot, SnapshotView } from './snapshot-value.js';

const NOTHING = new Uint8Array(0);
/** The key says all. */
const ENTRY = Buffer.of(1);

/**
 * One generation of a module's snapshots, to be written: in a separate thread, by one process at a time. States, their
 * sequences and the position are one transaction: a process that is killed neither skips nor repeats an event (I6).
 */
export class SnapshotStore {
  readonly #opening: Opening;
  readonly #files: SnapshotFiles;
  readonly #view = new SnapshotView();

  /** Throws when it cannot be opened. `mapBytes`: how much of a file LMDB maps at first; it grows by itself. */
  constructor(
    private readonly dir: string,
    mapBytes?: number,
  ) {
    markUnsynced(dir);
    this.#opening = new Opening(dir);
    this.#files = openSnapshotsToWrite(this.#opening, dir, mapBytes);
  }

  get position(): SnapshotPosition | undefined {
    return snapshotPosition(this.#files);
  }

  /** Throws when it cannot be committed; then nothing of it is. */
  commit({ changes, position }: Group): void {
    const { root } = this.#files;
    this.#opening.alone(() =>
      root.transactionSync(() => {
        for (const change of changes) this.#put(change, position);
        root.putSync(POSITION, position);
      }),
    );
  }

  /** All is on disk when it resolves. */
  async close(): Promise<void> {
    await this.#files.root.close();
    await this.#opening.close();
    markSynced(this.dir);
  }

  #put(change: AgentChange, { schema, index }: SnapshotPosition): void {
    const { agent } = change;
    const before = this.#look(this.#files.agents.getBinaryFast(agentKey(agent)));
    const was = index === undefined ? undefined : before?.json();
    this.#write(change, schema, before);
    if (index !== undefined) this.#index(index, agent, was, change.state);
  }

  /** Moves an agent from the values of its state before to those of its state now. */
  #index(fields: readonly string[], agent: string, was: string | undefined, is: string): void {
    const db = this.#files.fields as NonNullable<SnapshotFiles['fields']>;
    const [before, now] = [fieldValues(fields, agent, was), fieldValues(fields, agent, is)];
    for (const field of fields) {
      const [from, to] = [before.get(field), now.get(field)];
      if (from === to) continue;
      if (from !== undefined) db.removeSync(fieldKey(field, from, agent));
      if (to !== undefined) db.putSync(fieldKey(field, to, agent), ENTRY);
    }
  }

  #write(
    { agent, sequences, timeMs, state, keep }: AgentChange,
    schema: number,
    before: SnapshotView | undefined,
  ): void {
    const { agents, kept } = this.#files;
    const key = agentKey(agent);
    const chunk = before?.chunk ?? 0;
    const seq = sequences.at(-1) as number;
    const bytes = Buffer.from(state);
    if (!keep) {
      agents.putSync(key, encodeSnapshot({ schema, seq, timeMs, chunk }, sequences, bytes, before));
      return;
    }
    kept.putSync(
      keptKey(agent, seq),
      encodeSnapshot({ schema, seq, timeMs, chunk }, sequences, bytes, before),
    );
    agents.putSync(key, encodeSnapshot({ schema, seq, timeMs, chunk: chunk + 1 }, [], bytes));
    if (chunk >= KEEP_RECENT) this.#thin(agent, chunk - KEEP_RECENT);
  }

  /** Takes the state out of a kept snapshot that has become old, where it is not one of those that stay. */
  #thin(agent: string, chunk: number): void {
    if (chunk % KEEP_ONE_IN === 0) return;
    const { kept } = this.#files;
    const newest = { start: keptKey(agent, Number.MAX_SAFE_INTEGER), end: keptKey(agent, 0), reverse: true };
    const [entry] = kept.getRange({ ...newest, offset: KEEP_RECENT, limit: 1 });
    if (entry === undefined) return;
    const old = this.#look(entry.value);
    if (old === undefined || old.chunk !== chunk || old.stateBytes <= KEEP_SMALL_BYTES) return;
    const { seq, timeMs } = old;
    kept.putSync(entry.key, encodeSnapshot({ schema: 0, seq, timeMs, chunk }, [], NOTHING, old));
  }

  #look(bytes: Buffer | undefined): SnapshotView | undefined {
    if (bytes === undefined) return undefined;
    if (this.#view.take(bytes)) return this.#view;
    markDamaged(this.dir);
    throw new Error('a snapshot is damaged: its checksum is not that of its bytes');
  }
}
