import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { type Either, isLeft, left } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { checkServerVersion, parseServerVersion } from './version.js';

const run = promisify(execFile);

/** Generous: the first run of a binary of 20 MB from a cold disk, together with others on a busy machine. */
const PROBE_TIMEOUT_MS = 20_000;

/**
 * Runs `path --version`: the version when it is a nats-server that works here and is new enough.
 * `SERVER_NOT_FOUND` when it does not run (missing, not executable, wrong platform, half a file) or is something else,
 * `SERVER_TOO_OLD` when it is below the minimum.
 */
export const probeServer =
  (path: string): TaskEither<Fault, string> =>
  async () => {
    const refused = (why: string): Either<Fault, string> =>
      left(fault('SERVER_NOT_FOUND', `${path} is no nats-server that runs here: ${why}`));
    try {
      const limits = { timeout: PROBE_TIMEOUT_MS, killSignal: 'SIGKILL' } as const;
      const { stdout, stderr } = await run(path, ['--version'], limits);
      const version = parseServerVersion(stdout);
      if (version !== undefined) return checkServerVersion(version, path);
      return refused(`it prints ${JSON.stringify((stdout || stderr).trim().slice(0, 80))}`);
    } catch (error) {
      return refused(whyNot(error));
    }
  };

/** Some errors of the system come as a rejection and some are thrown by `spawn` itself; here they are the same. */
const whyNot = (thrown: unknown): string => {
  const error = thrown as Error & {
    readonly code?: unknown;
    readonly signal?: unknown;
    readonly killed?: unknown;
  };
  if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return 'there is no such file';
  if (error.code === 'EACCES') return 'it is not an executable file, or this user may not run it';
  if (error.killed === true) return `it did not answer within ${PROBE_TIMEOUT_MS / 1000} s`;
  if (typeof error.code === 'number') return `it ends with exit code ${error.code}`;
  if (typeof error.signal === 'string') return `it is killed by ${error.signal}`;
  return error.message;
};

/** The same for a binary that must be exactly that version: what the broker fetched or built itself. */
export const probeExact =
  (path: string, expected: string): TaskEither<Fault, string> =>
  async () => {
    const probed = await probeServer(path)();
    if (isLeft(probed) || probed.right === expected) return probed;
    return left(fault('SERVER_NOT_FOUND', `${path} is version ${probed.right}, not ${expected}`));
  };
