import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Either, isLeft, left, mapLeft, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type RootDatabase, open } from 'lmdb';
import { type Fault, fault } from '../../schemas/errors.js';
import { checkLmdbFiles } from './lmdb-files.js';
import { type ProcessIdentity, ownIdentity, processCommand, processState } from './process-identity.js';

/**
 * A data directory has one owner at a time: two brokers on one log would both be its only writer.
 *
 * A pid file cannot do this. Who finds a stale one must replace it, and between looking and replacing another starter
 * does the same; Node has no `flock`. LMDB's write transaction is a lock between processes that the kernel hands on
 * when its holder dies (a robust mutex in `owner/lock.mdb`), so "is the claim stale? then it is mine" is one step that
 * nobody can enter at the same time and no death can leave locked. The claim itself is a record of who: it outlives a
 * kill -9, but names a process by pid *and* start time, so that it is known to be stale at once, with no timeout and
 * no confusion by a pid given out again.
 *
 * Limits: the directory must be on a local file system, as LMDB's always; and processes in different pid namespaces
 * (two containers with one volume) do not see each other, so there it protects nothing.
 */
export interface ClaimRecord extends ProcessIdentity {
  /** The command line of the owner. */
  readonly command: string;
  /** RFC 3339: when it claimed the directory. */
  readonly since: string;
}

export interface Claim extends AsyncDisposable {
  readonly dir: string;
  readonly record: ClaimRecord;
  /** Gives the directory back; idempotent. A process that dies without it leaves a stale claim, which is no harm. */
  release(): Promise<void>;
}

type OwnerDb = RootDatabase<ClaimRecord, string>;

const KEY = 'owner';

const isHeld = (claim: ClaimRecord): boolean => {
  const state = processState(claim.pid);
  // A process whose start time cannot be seen may be the owner: to refuse wrongly is told and harms nothing.
  return state.kind === 'hidden' || (state.kind === 'alive' && state.startedAt === claim.startedAt);
};

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const unusable = (dir: string, reason: string): Fault =>
  fault(
    'DATA_DIR_UNUSABLE',
    `the data directory ${dir} cannot be used: ${reason}. Make it a directory that this user may write, on a local ` +
      `disk with free space, or choose another with --data`,
  );

const inUse = (dir: string, owner: ClaimRecord): Fault =>
  fault(
    'DATA_DIR_IN_USE',
    `the data directory ${dir} is in use by pid ${owner.pid} (${owner.command}) since ${owner.since}: stop that ` +
      `process, or choose another directory with --data`,
  );

const prepare = (dir: string): Either<Fault, void> => {
  try {
    // Credentials and the whole log are in there: nobody else's business. The mode of an existing one is its owner's.
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    if (!statSync(dir).isDirectory()) return left(unusable(dir, 'it is not a directory'));
    accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK);
    const owner = join(dir, 'owner');
    mkdirSync(owner, { recursive: true, mode: 0o700 });
    const hint = `if no broker uses it, remove ${owner}: it only says who the owner is`;
    return mapLeft((reason: string) => unusable(dir, `${reason} (${hint})`))(checkLmdbFiles(owner));
  } catch (error) {
    return left(unusable(dir, reasonOf(error)));
  }
};

/** The owner that lives, or this process after the step. */
const compareAndSwap = (db: OwnerDb, mine: ClaimRecord): ClaimRecord =>
  db.transactionSync(() => {
    const found = db.get(KEY);
    if (found !== undefined && isHeld(found)) return found;
    db.putSync(KEY, mine);
    return mine;
  });

const claimOf = (dir: string, db: OwnerDb, record: ClaimRecord): Claim => {
  let released: Promise<void> | undefined;
  const release = (): Promise<void> => {
    released ??= (async () => {
      db.transactionSync(() => {
        const found = db.get(KEY);
        if (found?.pid === record.pid && found.startedAt === record.startedAt) db.removeSync(KEY);
      });
      await db.close();
    })();
    return released;
  };
  return { dir, record, release, [Symbol.asyncDispose]: release };
};

/**
 * Makes this process the owner of a data directory, which is created (0700) when it is not there.
 * Fails at once, never waits: `DATA_DIR_IN_USE` names the owner, `DATA_DIR_UNUSABLE` says what is wrong.
 */
export const claimDataDir =
  (dir: string): TaskEither<Fault, Claim> =>
  async () => {
    const prepared = prepare(dir);
    if (isLeft(prepared)) return prepared;
    let db: OwnerDb | undefined;
    try {
      db = open<ClaimRecord, string>({ path: join(dir, 'owner'), encoding: 'json', mapSize: 1 << 20 });
      const command = processCommand(process.pid) ?? process.argv.join(' ');
      const mine: ClaimRecord = { ...ownIdentity(), command, since: new Date().toISOString() };
      const owner = compareAndSwap(db, mine);
      if (owner === mine) return right(claimOf(dir, db, mine));
      await db.close();
      return left(inUse(dir, owner));
    } catch (error) {
      await db?.close().catch(() => undefined);
      return left(unusable(dir, reasonOf(error)));
    }
  };
