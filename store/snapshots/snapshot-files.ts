import type { Key, RootDatabase, Database } from 'lmdb';
import { openShared } from '../lmdb/open-shared.js';
import type { Opening } from '../lmdb/opening.js';

/** Where a module's snapshots stand as a whole. */
export interface SnapshotPosition {
  /** Every result of the module up to here is folded in. */
  readonly seq: number;
  /** Identity of the log they were folded from. */
  readonly logId: string;
  /** Version of the module whose `evolve` folded them. */
  readonly version: string;
  /** Version of the shape of its states. */
  readonly schema: number;
  /** Digest of the code that folded them; absent in files of before it was written. */
  readonly code?: string;
  /** Fields by which its agents are in {@link SnapshotFiles.fields}; absent: none. */
  readonly index?: readonly string[];
  /** The tree of keys that its states are encrypted with; absent: they are not. */
  readonly seals?: string;
}

/** The databases of one generation. */
export interface SnapshotFiles {
  readonly root: RootDatabase<unknown, Key>;
  /** The state of each agent as it is now, by {@link agentKey}. */
  readonly agents: Database<Buffer, Key>;
  /** Snapshots in between, by {@link keptKey}. */
  readonly kept: Database<Buffer, Key>;
  /** Agents by the values of fields, by `fieldKey`. Absent in files that an older version made. */
  readonly fields?: Database<Buffer, Key>;
}

export const POSITION = 'position';
const MAX_READERS = 1_024;

/** An agent's key; the module's own state, addressed to no agent, has one too. */
export const agentKey = (agent: string): string => `a${agent}`;
export const agentOfKey = (key: string): string => key.slice(1);
/** All keys of agents are from here up to {@link AGENTS_END}; the module's own state is the first. */
export const AGENTS_END = 'b';

/** Sorted by agent, then by sequence. */
export const keptKey = (agent: string, seq: number): Key => [agentKey(agent), seq];

const openFiles = (
  dir: string,
  options: { readonly readOnly: boolean; readonly mapBytes?: number },
): SnapshotFiles => {
  const { readOnly, mapBytes } = options;
  const root = openShared<unknown, Key>({
    path: dir,
    encoding: 'json',
    maxReaders: MAX_READERS,
    // The file `boot` next to it tells whether all is on disk: a commit that waited for the disk would take
    // milliseconds.
    noSync: true,
    readOnly,
    ...(mapBytes === undefined ? {} : { mapSize: mapBytes }),
  });
  const binary = { encoding: 'binary', cache: false } as const;
  const fields = openFields(root, readOnly);
  return {
    root,
    agents: root.openDB<Buffer, Key>({ name: 'agents', ...binary }),
    kept: root.openDB<Buffer, Key>({ name: 'kept', ...binary }),
    ...(fields === undefined ? {} : { fields }),
  };
};

/** A reader cannot make it, and files of an older version have none. */
const openFields = (
  root: RootDatabase<unknown, Key>,
  readOnly: boolean,
): Database<Buffer, Key> | undefined => {
  try {
    return root.openDB<Buffer, Key>({ name: 'fields', encoding: 'binary', cache: false });
  } catch (error) {
    if (readOnly) return undefined;
    throw error;
  }
};

/** Opens them to write, and makes them where there are none. */
export const openSnapshotsToWrite = (opening: Opening, dir: string, mapBytes?: number): SnapshotFiles =>
  opening.alone(() => openFiles(dir, { readOnly: false, ...(mapBytes === undefined ? {} : { mapBytes }) }));

/** Opens them to read, in whichever process. */
export const openSnapshotsToRead = (opening: Opening, dir: string): SnapshotFiles =>
  opening.alone(() => openFiles(dir, { readOnly: true }));

export const snapshotPosition = ({ root }: SnapshotFiles): SnapshotPosition | undefined =>
  root.get(POSITION) as SnapshotPosition | undefined;
