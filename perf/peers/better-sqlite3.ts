import { execFile } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { cacheDir } from '../../broker/server/cache.js';
import { peerLeftOut } from './left-out.js';
import { installFolder } from '../../system/files/install.js';

/** The part of better-sqlite3 that is used here; it is no dependency, so its types are not there. */
export interface SqliteDatabase {
  pragma(text: string): unknown;
  exec(sql: string): unknown;
  prepare(sql: string): SqliteStatement;
  transaction<A extends unknown[]>(work: (...args: A) => void): (...args: A) => void;
  close(): void;
}

export interface SqliteStatement {
  get(...values: readonly unknown[]): unknown;
  run(...values: readonly unknown[]): unknown;
}

type OpenSqlite = new (file: string, options?: { readonly readonly?: boolean }) => SqliteDatabase;

/** SQLite as the fastest of the bindings for Node has it. */
export interface SqlitePackage {
  /** Where it is installed, for {@link loadSqlite} in any process. */
  readonly folder: string;
  /** Of the library itself. */
  readonly version: string;
}

const NAME = 'better-sqlite3';
/** The newest that runs on the oldest Node that we support. */
const VERSION = '12.11.1';
const INSTALL_LIMIT_MS = 15 * 60_000;

/** Throws when it is not there, or built for another Node. */
export const loadSqlite = (folder: string): OpenSqlite =>
  createRequire(join(folder, 'package.json'))(NAME) as OpenSqlite;

const probe = (folder: string): SqlitePackage => {
  const db = new (loadSqlite(folder))(':memory:');
  try {
    const { version } = db.prepare('SELECT sqlite_version() AS version').get() as { version: string };
    return { folder, version };
  } finally {
    db.close();
  }
};

const install = async (folder: string): Promise<void> => {
  const manifest = { private: true, dependencies: { [NAME]: VERSION }, allowScripts: { [NAME]: true } };
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
  // Below `npm run`, npm would take this project for the place to install into.
  await promisify(execFile)('npm', ['install', '--prefix', folder, '--no-audit', '--no-fund'], {
    cwd: folder,
    timeout: INSTALL_LIMIT_MS,
  });
};

/**
 * Installs better-sqlite3 once into the cache, where npm gets it built or compiles it; it never becomes a part of this
 * package, whose installation must not need a compiler. Undefined, with a report, if neither works.
 */
export const findSqlite = async (say: (line: string) => void): Promise<SqlitePackage | undefined> => {
  const kind = [VERSION, process.platform, process.arch, process.versions.modules].join('-');
  const folder = join(resolve(cacheDir()), `${NAME}-${kind}`);
  try {
    return probe(folder);
  } catch {
    // Not there yet.
  }
  try {
    say(`installing ${NAME} ${VERSION}, minutes where it must be compiled, once (kept in ${folder})`);
    await installFolder(folder, install);
    return probe(folder);
  } catch (error) {
    say(peerLeftOut('SQLite', error));
    return undefined;
  }
};
