import { loadSqlite, type SqliteDatabase } from '../../peers/better-sqlite3.js';
import { type StateChange, type FoundState, SCHEMA } from './population.js';
import type { StateReader, StateWriter } from './store.js';

const TABLE = `CREATE TABLE IF NOT EXISTS agents (
  id TEXT PRIMARY KEY, seq INTEGER NOT NULL, time TEXT NOT NULL, schema INTEGER NOT NULL, state TEXT NOT NULL
) WITHOUT ROWID`;
const WRITE = `INSERT INTO agents VALUES (?, ?, ?, ${SCHEMA}, ?)
  ON CONFLICT (id) DO UPDATE SET seq = excluded.seq, time = excluded.time, state = excluded.state`;
const READ = 'SELECT seq, time, schema, state FROM agents WHERE id = ?';
const MAPPED_BYTES = 1024 ** 3;

/** As fast as it goes without risking the file: the log in front of it, no fsync at a commit, pages by memory map. */
const openDatabase = (file: string, folder: string): SqliteDatabase => {
  const db = new (loadSqlite(folder))(file);
  db.pragma('journal_mode = WAL');
  db.pragma('synchronous = NORMAL');
  db.pragma(`mmap_size = ${MAPPED_BYTES}`);
  return db;
};

/** A transaction for each group. */
export const sqliteWriter = (file: string, folder: string): StateWriter => {
  const db = openDatabase(file, folder);
  db.exec(TABLE);
  const write = db.prepare(WRITE);
  const put = db.transaction((changes: readonly StateChange[]) => {
    for (const { agent, seq, time, state } of changes) write.run(agent, seq, time, state);
  });
  return { put, close: () => db.close() };
};

export const sqliteReader = (file: string, folder: string): StateReader => {
  const db = openDatabase(file, folder);
  const read = db.prepare(READ);
  return {
    get: {
      sync: (agent) => {
        const row = read.get(agent) as (Omit<FoundState, 'state'> & { readonly state: string }) | undefined;
        return row === undefined
          ? undefined
          : { ...row, state: JSON.parse(row.state) as FoundState['state'] };
      },
    },
    close: () => db.close(),
  };
};
