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
 * A pid file cannot do this. A process that finds a stale one must replace it, and another starter may do the same
 * between its look and its replacement; Node has no `flock`. Here "is the claim stale? then the next is mine" is a
 * compare-and-swap (claim-chain.ts) that no two processes can win and no death can leave locked. A claim outlives a
 * kill -9, but it names its process by pid *and* start time. So it is known to be stale at once, without a timeout,
 * and without confusion by a reused pid.
 *
 * Limits: it needs a local file system with symbolic links. Processes in different pid namespaces (two containers
 * with one volume) do not see each other, so there it protects nothing.
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
  /** Gives the directory back; idempotent. A process that dies without it leaves a stale claim, which does no harm. */
  release(): Promise<void>;
}

/**
 * The text of a claim after its owner gave the directory back. The claim stays, because the numbers of claims only
 * rise.
 */
const RELEASED = 'released';

const isHeld = (claim: ClaimRecord): boolean => {
  const state = processState(claim.pid);
  // A process with a hidden start time may be the owner. A wrong refusal is reported and does no harm.
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
    // The directory has credentials and the whole log, so only the owner may read it. An existing directory keeps its
    // mode.
    makeDirs(dir);
    if (!statSync(dir).isDirectory()) return left(unusable(dir, 'it is not a directory'));
    accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK);
    return right(undefined);
  } catch (error) {
    return left(unusable(dir, reasonOf(error)));
  }
};

/** A text that is no claim is damage by a loss of power: its writer is gone. */
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
        // Only after this claim: if another one is the head already, there is nothing to give back.
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
 * Makes this process the owner of a data directory, and creates the directory (0700) if it does not exist. It fails
 * at once and never waits: `DATA_DIR_IN_USE` names the owner, `DATA_DIR_UNUSABLE` names the problem.
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
      // Try again only if another starter was faster; most likely its claim is found next.
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

/** The process that owns a data directory now; undefined if none does, or if this user may not look. */
export const dataDirOwner = (dir: string): ClaimRecord | undefined => {
  const chain = join(dir, 'owner');
  try {
    if (!statSync(chain).isDirectory()) return undefined;
    const found = parse(readHead(chain).text);
    return found !== undefined && isHeld(found) ? found : undefined;
  } catch {
    return undefined;
  }
};
