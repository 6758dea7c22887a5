import { createHash } from 'node:crypto';
import type { Database, Key, RootDatabase } from 'lmdb';
import type { OpenConversation } from '../../schemas/conversation.js';
import { openShared } from '../lmdb/open-shared.js';
import type { Opening } from '../lmdb/opening.js';
import type { UncausedStretch } from './uncaused-events.js';

/** The position of the index, and what a reader that skips parts of the log must know. */
export interface IndexPosition {
  /** Identity of the log that it was read from. */
  readonly logId: string;
  /** Every record up to here is in it: reading continues after it. */
  readonly seq: number;
  /** Where in the log, up to `seq`, modules have events that no command caused. */
  readonly uncaused: readonly UncausedStretch[];
}

/** How {@link IndexPosition} lies in the files: by it others decide what they need not read. */
interface StoredPosition {
  /** Version of what the files hold. */
  readonly format: number;
  readonly json: string;
  /** SHA-256 of the JSON. */
  readonly digest: string;
}

/** The files of another one are read from the log again. */
const FORMAT = 9;

/** The contents of the files, each in a separate database; its values are text. */
export const TABLES = [
  /** Open commands, by their sequences. */
  'commands',
  /** The same by module: `[module, sequence]`, without a value. */
  'waiting',
  /** How many commands of each module are open. */
  'counts',
  /** Calls that handlers of open commands made: `[cause, number of the call]`. */
  'calls',
  /** Waits of handlers that are not woken: `[time at which it is due, cause, number]`, with the module. */
  'waits',
  /** Cancelled commands without a result: `[module, command]`. */
  'cancelled',
  /** Those that wait for a signal: `[module, agent, name, cause, number]`, with the time at which they are due. */
  'awaiting',
  /** Signals that no wake has taken: `[module, agent, name, sequence]`, without a value. */
  'signals',
  /** Open conversations as JSON, by the sequences that name them. */
  'conversations',
  /** `MODULE/AGENT` of each agent, without a value. */
  'agents',
  /** The due time behind the last firing of each schedule. */
  'fired',
  /** Results of commands that redrive dead letters: `[letter, command]`. */
  'redrives',
  /** The letter that a command redrives, by the command. */
  'redriven',
  /** Restarts of commands: what each keeps, by the command that ran before. */
  'restarts',
  /** The commands of keys, and their results: `[sender, key]`. */
  'keys',
  /** The keys in the order of their commands: `[sender, sequence]`. */
  'keyed',
  /** Dead letters that are not stored yet, by their commands. */
  'letters',
  /** What each account has in the log: `[open commands, bytes of its records]`. */
  'accounts',
  /** Up to which sequence all outcomes of a module have their copies, and where its own records begin. */
  'whole',
] as const;

export type IndexTable = (typeof TABLES)[number];
export type TableKey = Key;

export interface IndexFiles {
  /** The position. */
  readonly root: RootDatabase<unknown, Key>;
  readonly tables: Readonly<Record<IndexTable, Database<Buffer, TableKey>>>;
}

const POSITION = 'position';

const MAX_READERS = 1_024;

const openFiles = (dir: string, readOnly: boolean): IndexFiles => {
  const root = openShared<unknown, Key>({
    path: dir,
    maxReaders: MAX_READERS,
    maxDbs: 2 * TABLES.length,
    // The file `boot` next to it tells whether all is on disk: a commit that waited for the disk would take
    // milliseconds.
    noSync: true,
    readOnly,
  });
  const table = (name: IndexTable): Database<Buffer, TableKey> =>
    root.openDB<Buffer, TableKey>({ name, encoding: 'binary', cache: false });
  const tables = Object.fromEntries(TABLES.map((name) => [name, table(name)])) as IndexFiles['tables'];
  return { root, tables };
};

/** Opens them to write, and makes them where there are none. */
export const openIndexToWrite = (opening: Opening, dir: string): IndexFiles =>
  opening.alone(() => openFiles(dir, false));

/** Opens them to read, in whichever process. */
export const openIndexToRead = (opening: Opening, dir: string): IndexFiles =>
  opening.alone(() => openFiles(dir, true));

const digestOf = (json: string): string => createHash('sha256').update(json).digest('base64');

export const putPosition = ({ root }: IndexFiles, position: IndexPosition): void => {
  const json = JSON.stringify(position);
  root.putSync(POSITION, { format: FORMAT, json, digest: digestOf(json) } satisfies StoredPosition);
};

/** `none` where nothing was written yet, `unreadable` of another version, or damaged. */
export type FoundPosition = IndexPosition | 'none' | 'unreadable';

/** Where the files stand. */
export const indexPosition = ({ root }: Pick<IndexFiles, 'root'>, options: object = {}): FoundPosition => {
  try {
    const stored = root.get(POSITION, options) as Partial<StoredPosition> | undefined;
    if (stored === undefined) return 'none';
    const { format, json, digest } = stored;
    if (format !== FORMAT || typeof json !== 'string' || digest !== digestOf(json)) return 'unreadable';
    return JSON.parse(json) as IndexPosition;
  } catch {
    // What lies there is not even a value.
    return 'unreadable';
  }
};

/** An open conversation as it lies in the files. Throws where it is damaged. */
export const parseOpen = (text: Buffer | string): OpenConversation =>
  JSON.parse(text.toString()) as OpenConversation;
