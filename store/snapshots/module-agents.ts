import { join } from 'node:path';
import { type Either, isLeft } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type Fault, FaultError, fault } from '../../schemas/errors.js';
import { isName } from '../../schemas/names.js';
import type { FreshReads } from '../lmdb/fresh-reads.js';
import { FilesToRead } from '../lmdb/files-to-read.js';
import { type AtLeastOptions, reached } from '../lmdb/reached.js';
import { hasSealed, SEALED_BEGIN } from '../../schemas/sealed-value.js';
import { KeptSeals } from '../seals/kept-seals.js';
import { namesWhere, type Where, type WhereQuery } from './agents-where.js';
import { indexFits } from './index-fits.js';
import { openedState } from './sealed-states.js';
import type { StoredSnapshot } from './generation.js';
import { Generations } from './generations.js';
import {
  AGENTS_END,
  agentKey,
  agentOfKey,
  keptKey,
  openSnapshotsToRead,
  POSITION,
  type SnapshotFiles,
  type SnapshotPosition,
} from './snapshot-files.js';
import { SnapshotView } from './snapshot-value.js';
import { timeText } from './time-text.js';

/** An agent as its module's snapshots have it. */
export interface AgentState {
  /** Sequence of the last record that changed it. */
  readonly seq: number;
  /** When that was stored, RFC 3339; by the clock of the module's host where it was there. */
  readonly time: string;
  /** Schema version of the state. */
  readonly schema: number;
  readonly state: unknown;
}

/** The same with the state in the bytes of its JSON. */
export interface RawAgentState extends Omit<AgentState, 'state'> {
  readonly state: Uint8Array;
}

/** An agent of a page, with the record that changed it last. */
export interface ListedAgent {
  readonly agent: string;
  readonly seq: number;
  readonly time: string;
}

/** A page of agents, in the order of their names. */
export interface AgentPage {
  readonly agents: readonly ListedAgent[];
  /** What to give as `after` for the next page; null behind the last. */
  readonly next: string | null;
}

/** What an agent was at a sequence: a state that was kept, and the results behind it to fold into that. */
export interface PastAgent {
  /** Undefined: fold from the beginning. */
  readonly base: AgentState | undefined;
  /** Sequences of the results that changed it since, in order. */
  readonly sequences: readonly number[];
}

const LIMIT = 100;
const NOTHING = Buffer.alloc(0);

type OpenSnapshots = SnapshotFiles & { readonly reads: FreshReads };

/** Which snapshot a state was read from. */
const marks = new WeakMap<RawAgentState, { readonly open: OpenSnapshots; readonly checksum: number }>();

const timeOf = (view: SnapshotView): string => timeText(view.timeMs);

/**
 * The agents of one module, looked up by memory map: no message is sent, and no writer is waited for or held up. From
 * any process of the machine that may write in the data directory, whether or not a broker runs. Every read sees what
 * was committed last.
 *
 * All of it throws {@link FaultError}: SNAPSHOTS_UNAVAILABLE where there are none to read, SNAPSHOT_DAMAGED where a
 * checksum does not fit.
 */
export class ModuleAgents {
  readonly #files: FilesToRead<SnapshotFiles>;
  readonly #view = new SnapshotView();
  readonly #seals: KeptSeals;

  constructor(
    readonly module: string,
    readonly dataDir: string,
  ) {
    this.#seals = new KeptSeals(module, dataDir);
    const generations = new Generations(join(dataDir, 'snapshots', module));
    this.#files = new FilesToRead({
      mark: () => generations.mark,
      dir: () => generations.path(generations.current ?? this.#none()),
      open: openSnapshotsToRead,
      unavailable: (why) => this.#unavailable(`${why}; the module's next start makes them again`),
    });
  }

  /** The state of an agent; undefined when nothing has happened to it. `''` is the module itself. */
  get(agent: string): AgentState | undefined {
    const { agents, reads } = this.#files.now();
    try {
      const bytes = reads.bytes(agents, agentKey(agent));
      if (bytes === undefined) return this.#missing(agent);
      return this.#state(bytes, agent);
    } finally {
      reads.done();
    }
  }

  /** The same as written, to compare bytes. */
  stored(agent: string): StoredSnapshot | undefined {
    const { agents, reads } = this.#files.now();
    try {
      const bytes = reads.bytes(agents, agentKey(agent));
      if (bytes === undefined) return undefined;
      const view = this.#take(bytes, agent);
      return { seq: view.seq, schema: view.schema, json: this.#json(agent, view) };
    } finally {
      reads.done();
    }
  }

  /**
   * The same as {@link get}, with the state in the bytes of its JSON: to pass it on without reading it. If `before` is
   * what it was and nothing has changed since, it is that: what you made of it still holds.
   */
  raw(agent: string, before?: RawAgentState): RawAgentState | undefined {
    const open = this.#files.now();
    const { agents, reads } = open;
    try {
      const bytes = reads.bytes(agents, agentKey(agent));
      if (bytes === undefined) return this.#missing(agent);
      const mark = before === undefined ? undefined : marks.get(before);
      // In one generation of files, a state changes with its sequence alone.
      if (
        mark?.open === open &&
        this.#view.hasChecksum(bytes, mark.checksum) &&
        this.#view.seq === before?.seq
      )
        return before;
      const view = this.#take(bytes, agent);
      const { seq, schema, checksum } = view;
      const json = view.state();
      const state = this.#opened(agent, json);
      const found: RawAgentState = { seq, time: timeOf(view), schema, state };
      // What a key has opened may be erased, and the snapshot stays the same.
      if (state === json) marks.set(found, { open, checksum });
      return found;
    } finally {
      reads.done();
    }
  }

  has(agent: string): boolean {
    const { agents, reads } = this.#files.now();
    try {
      return reads.bytes(agents, agentKey(agent)) !== undefined;
    } finally {
      reads.done();
    }
  }

  /** Agents by name, a page at a time; the module itself is none of them. */
  list({ prefix = '', after = '', limit = LIMIT, where }: ListOptions = {}): AgentPage {
    const files = this.#files.now();
    const { agents, reads } = files;
    if (where !== undefined) return this.#listWhere(files, { where, prefix, after, limit });
    const from = after > prefix ? after : prefix;
    try {
      const found: ListedAgent[] = [];
      const range = { start: agentKey(from), end: AGENTS_END, limit: limit + 3, ...reads.options };
      for (const { key, value } of agents.getRange(range)) {
        const agent = agentOfKey(key as string);
        if (agent === '' || agent === after) continue;
        if (!agent.startsWith(prefix)) break;
        if (found.length === limit) return { agents: found, next: found.at(-1)?.agent ?? null };
        const view = this.#take(value, agent);
        found.push({ agent, seq: view.seq, time: timeOf(view) });
      }
      return { agents: found, next: null };
    } finally {
      reads.done();
    }
  }

  #listWhere(files: OpenSnapshots, query: Omit<WhereQuery, 'module'>): AgentPage {
    const { agents, reads } = files;
    try {
      const { names, next } = namesWhere(files, { module: this.module, ...query });
      const found = names.map((agent): ListedAgent => {
        const view = this.#take(reads.bytes(agents, agentKey(agent)) ?? NOTHING, agent);
        return { agent, seq: view.seq, time: timeOf(view) };
      });
      return { agents: found, next };
    } finally {
      reads.done();
    }
  }

  /** Whether the index fits the states: SNAPSHOT_DAMAGED names an agent. It looks at all agents. */
  checkIndex(): Either<Fault, void> {
    const files = this.#files.now();
    try {
      return indexFits(files, this.module, (bytes, agent) => this.#take(bytes, agent).json());
    } finally {
      files.reads.done();
    }
  }

  /** How many agents there are; the module itself is not counted. */
  count(): number {
    const { agents, reads } = this.#files.now();
    const all = reads.count(agents);
    return this.has('') ? all - 1 : all;
  }

  /** Where the snapshots stand; undefined when nothing was written yet. */
  get position(): SnapshotPosition | undefined {
    const { root, reads } = this.#files.now();
    try {
      return root.get(POSITION, reads.options) as SnapshotPosition | undefined;
    } finally {
      reads.done();
    }
  }

  /**
   * Waits until every result up to a sequence is in the states, such as the one that a reply names in `Tally-Result`:
   * a client that wrote then reads its own write. SNAPSHOTS_BEHIND when that takes longer than `timeoutMs` (default
   * 5,000).
   */
  atLeast(seq: number, options: AtLeastOptions = {}): TaskEither<Fault, void> {
    const [position, what] = [() => this.position, `the snapshots of ${this.module}`];
    return reached(seq, options, { position, what, behind: 'SNAPSHOTS_BEHIND' });
  }

  /** What is needed to know an agent as it was when the record at `atSeq` had been stored. */
  past(agent: string, atSeq: number): PastAgent {
    const { agents, kept, reads } = this.#files.now();
    try {
      const sequences: number[] = [];
      // Of the newest, whose state is of later, only the sequences; then those before, until one has a state.
      const now = reads.bytes(agents, agentKey(agent));
      if (now === undefined) return { base: undefined, sequences };
      const newest = this.#take(now, agent);
      if (newest.seq <= atSeq) return { base: this.#state(now, agent), sequences };
      sequences.push(...newest.sequences());
      // The first kept one behind `atSeq` has sequences of before it too.
      for (const { value } of kept.getRange({
        start: keptKey(agent, atSeq + 1),
        end: keptKey(agent, Number.MAX_SAFE_INTEGER),
        limit: 1,
        ...reads.options,
      })) {
        sequences.splice(0, sequences.length, ...this.#take(value, agent).sequences());
      }
      for (const { value } of kept.getRange({
        start: keptKey(agent, atSeq),
        end: keptKey(agent, 0),
        reverse: true,
        ...reads.options,
      })) {
        const view = this.#take(value, agent);
        if (view.schema > 0) return { base: this.#stateOf(agent, view), sequences: upTo(sequences, atSeq) };
        sequences.unshift(...view.sequences());
      }
      return { base: undefined, sequences: upTo(sequences, atSeq) };
    } finally {
      reads.done();
    }
  }

  /**
   * Sequences of the records that changed an agent, from `fromSeq` on and in order: a page, of at least one and some
   * hundred more than `limit` at most; none where the snapshots have no more.
   */
  sequences(agent: string, fromSeq: number, limit: number): readonly number[] {
    const { agents, kept, reads } = this.#files.now();
    const found: number[] = [];
    const add = (bytes: Buffer): void => {
      for (const seq of this.#take(bytes, agent).sequences()) if (seq >= fromSeq) found.push(seq);
    };
    try {
      const range = { start: keptKey(agent, fromSeq), end: keptKey(agent, Number.MAX_SAFE_INTEGER) };
      for (const { value } of kept.getRange({ ...range, ...reads.options })) {
        add(value);
        if (found.length >= limit) return found;
      }
      const newest = reads.bytes(agents, agentKey(agent));
      if (newest !== undefined) add(newest);
      return found;
    } finally {
      reads.done();
    }
  }

  /** About how many records changed an agent from `fromSeq` on: exact to some hundred. */
  changesSince(agent: string, fromSeq: number): number {
    const { agents, kept, reads } = this.#files.now();
    try {
      const now = reads.bytes(agents, agentKey(agent));
      if (now === undefined) return 0;
      const { chunk, changes, seq } = this.#take(now, agent).head;
      if (seq < fromSeq) return 0;
      const range = { start: keptKey(agent, fromSeq), end: keptKey(agent, Number.MAX_SAFE_INTEGER) };
      for (const { value } of kept.getRange({ ...range, limit: 1, ...reads.options })) {
        const first = this.#take(value, agent);
        return (chunk - first.chunk) * first.changes + changes;
      }
      return changes;
    } finally {
      reads.done();
    }
  }

  close(): Promise<void> {
    return this.#files.close();
  }

  #state(bytes: Buffer, agent: string): AgentState {
    return this.#stateOf(agent, this.#take(bytes, agent));
  }

  #stateOf(agent: string, view: SnapshotView): AgentState {
    const state: unknown = JSON.parse(this.#json(agent, view));
    return { seq: view.seq, time: timeOf(view), schema: view.schema, state };
  }

  #json(agent: string, view: SnapshotView): string {
    const json = view.json();
    return json.startsWith(SEALED_BEGIN)
      ? Buffer.from(this.#opened(agent, Buffer.from(json))).toString('utf8')
      : json;
  }

  /** Throws AGENT_ERASED and SEALED. */
  #opened(agent: string, json: Uint8Array): Uint8Array {
    // Without a look at the file of keys, which takes longer than all of a look-up, unless there is need of a key.
    const seals = hasSealed(json) ? this.#seals.now() : undefined;
    return seals === undefined ? json : openedState(seals, agent, json);
  }

  /** No snapshot: nothing has happened to the agent, or it was erased before all snapshots were made again. */
  #missing(agent: string): undefined {
    const erased = this.#seals.now()?.check(agent);
    if (erased !== undefined && isLeft(erased)) throw new FaultError(erased.left);
    return undefined;
  }

  #take(bytes: Buffer, agent: string): SnapshotView {
    if (this.#view.take(bytes)) return this.#view;
    throw new FaultError(
      fault(
        'SNAPSHOT_DAMAGED',
        `the snapshot of ${this.module} ${agent} does not fit its checksum; \`tallystick replay rebuild ${this.module}\` folds all of them from the log again`,
      ),
    );
  }

  #unavailable(why: string): FaultError {
    return new FaultError(
      fault('SNAPSHOTS_UNAVAILABLE', `there are no snapshots of ${this.module} to read: ${why}`),
    );
  }

  #none(): never {
    throw this.#unavailable(
      isName(this.module)
        ? 'the module has not been loaded here, folds its states from the log just now, or keeps none'
        : 'that is no name of a module',
    );
  }
}

export interface ListOptions {
  /** What the names begin with. */
  readonly prefix?: string;
  /** The last name of the page before. */
  readonly after?: string;
  /** Names a page; default 100. */
  readonly limit?: number;
  /**
   * Only agents with these values, of fields that the manifest declares in `index`. Values are compared as text. If
   * you give several, a page may have fewer agents than `limit` before the last page. FIELD_NOT_INDEXED.
   */
  readonly where?: Where;
}

const upTo = (sequences: readonly number[], last: number): readonly number[] =>
  sequences.filter((seq) => seq <= last);
