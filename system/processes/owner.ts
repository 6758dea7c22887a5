import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { makeDirs } from '../files/make-dirs.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { CLAIM_MAX_BYTES, appendBehind, readHead } from './claim-chain.js';
import { type ProcessIdentity, ownIdentity, processCommand, processState } from './process-identity.js';

/**
 * A data directory has one owner at a time: two brokers on one log would both be its only writer.
 *
 * A pid file cannot do this: who finds a stale one must replace it, and between looking and replacing another starter
 * does the same; Node has no `flock`. Here "is the claim stale? then the next is mine" is a compare-and-swap
 * (claim-chain.ts) that no two can win and no death can leave locked. A claim outlives a kill -9, but names its process
 * by pid *and* start time, so that it is known to be stale at once, with no timeout and no confusion by a pid that was
 * given out again.
 *
 * Limits: a local file system with symbolic links; and processes in different pid namespaces (two containers with one
 * volume) do not see each other, so there it protects nothing.
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

/** The text of a claim whose owner gave the directory back. It stays, since the numbers of claims only rise. */
const RELEASED = 'released';

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
    makeDirs(dir);
    if (!statSync(dir).isDirectory()) return left(unusable(dir, 'it is not a directory'));
    accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK);
    return right(undefined);
  } catch (error) {
    return left(unusable(dir, reasonOf(error)));
  }
};

/** A text that is no claim is damage by a loss of power: whoever wrote it is gone. */
const parse = (text: string): ClaimRecord | undefined => {
  try {
    const value: unknown = JSON.parse(text);
    const isRecord =
      typeof value === 'object' && value !== null && 'pid' in value && Number.isInteger(value.pid);
    return isRecord ? (value as ClaimRecord) : undefined;
  } catch {
    return undefined;
  }
};

const ownRecord = (): ClaimRecord => {
  const command = processCommand(process.pid) ?? process.argv.join(' ');
  const record = { ...ownIdentity(), command, since: new Date().toISOString() };
  while (Buffer.byteLength(JSON.stringify(record)) > CLAIM_MAX_BYTES)
    record.command = record.command.slice(0, -10);
  return record;
};

const claimOf = (dir: string, chain: string, number: number, record: ClaimRecord): Claim => {
  let released: Promise<void> | undefined;
  const release = (): Promise<void> => {
    released ??= (async () => {
      try {
        // Behind this claim only: where another is the head already, there is nothing to give back.
        appendBehind(chain, { number, text: '' }, RELEASED);
      } catch {
        // The directory is gone, or the disk full: the claim is stale as soon as this process ends.
      }
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
    const chain = join(dir, 'owner');
    try {
      const mine = ownRecord();
      const text = JSON.stringify(mine);
      // Again only when another starter was faster, and then that one is most likely what is found.
      for (;;) {
        const head = readHead(chain);
        const found = parse(head.text);
        if (found !== undefined && isHeld(found)) return left(inUse(dir, found));
        const number = appendBehind(chain, head, text);
        if (number !== undefined) return right(claimOf(dir, chain, number, mine));
      }
    } catch (error) {
      return left(unusable(dir, reasonOf(error)));
    }
  };
