import { createHash } from 'node:crypto';
import type { Database, Key, RootDatabase } from 'lmdb';
import { open } from 'lmdb';
import type { OpenConversation } from '../../schemas/conversation.js';
import type { Opening } from '../lmdb/opening.js';
import type { UncausedStretch } from './uncaused-events.js';

/** Where the index stands, and what of the log must be known by whoever skips parts of it. */
export interface IndexPosition {
  /** Identity of the log that it was read from. */
  readonly logId: string;
  /** Every record up to here is in it. */
  readonly seq: number;
  /** Reading from here on gives the commands that are open at `seq`. */
  readonly resumeFrom: number;
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

/** Files of another one are read from the log anew. */
const FORMAT = 2;

export interface IndexFiles {
  /** Agents, firings of schedules and redrives, by keys with a prefix; the position. */
  readonly root: RootDatabase<unknown, Key>;
  /** Open conversations as JSON, by the sequences that name them. */
  readonly conversations: Database<Buffer, number>;
}

const POSITION = 'position';
/** `<module>/<agent>` of each agent. */
export const AGENT = 'agent/';
/** The due time behind the last firing of each schedule. */
export const FIRED = 'fired/';
/** `<letter>/<command>` of each redrive, with the sequence of its result. */
export const REDRIVE = 'redrive/';

const MAX_READERS = 1_024;

const openFiles = (dir: string, readOnly: boolean): IndexFiles => {
  const root = open<unknown, Key>({
    path: dir,
    maxReaders: MAX_READERS,
    // Whether all is on disk is told by `boot` beside it: a commit that waited for the disk would take milliseconds.
    noSync: true,
    readOnly,
  });
  const conversations = root.openDB<Buffer, number>({
    name: 'conversations',
    encoding: 'binary',
    cache: false,
  });
  return { root, conversations };
};

/** Opens them to write, and makes them where there are none. */
export const openToWrite = (opening: Opening, dir: string): IndexFiles =>
  opening.alone(() => openFiles(dir, false));

/** Opens them to read, in whichever process. */
export const openToRead = (opening: Opening, dir: string): IndexFiles =>
  opening.alone(() => openFiles(dir, true));

const digestOf = (json: string): string => createHash('sha256').update(json).digest('base64');

export const putPosition = ({ root }: IndexFiles, position: IndexPosition): void => {
  const json = JSON.stringify(position);
  root.putSync(POSITION, { format: FORMAT, json, digest: digestOf(json) } satisfies StoredPosition);
};

/** `none` where nothing was written yet, `unreadable` of another version, or damaged. */
export type FoundPosition = IndexPosition | 'none' | 'unreadable';

/** Where the files stand. */
export const positionOf = ({ root }: IndexFiles, options: object = {}): FoundPosition => {
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

/** All entries behind a prefix, their keys without it. */
export function* entriesOf(
  { root }: IndexFiles,
  prefix: string,
): Generator<readonly [key: string, value: unknown]> {
  // Keys are names, digits and slashes: all are below this.
  for (const { key, value } of root.getRange({ start: prefix, end: `${prefix}~` })) {
    yield [(key as string).slice(prefix.length), value];
  }
}

/** An open conversation as it lies in the files. Throws where it is damaged. */
export const parseOpen = (bytes: Buffer): OpenConversation =>
  JSON.parse(bytes.toString()) as OpenConversation;
