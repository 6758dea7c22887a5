import { type ChildProcess, spawn } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Either, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { packageRoot } from '../../system/files/package-root.js';
import type { Reaper } from '../../system/processes/reaper.js';
import type { OnProgress } from './progress.js';

/** Half a minute with modules at hand, a minute without; a slow machine with a slow line needs several. */
const BUILD_TIMEOUT_MS = 15 * 60 * 1000;

/** Lines of go's output that go into the reason. */
const TAIL_LINES = 5;

export interface BuildOptions {
  readonly version: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly onProgress?: OnProgress;
  /** Ends the build when the broker dies meanwhile. */
  readonly reaper?: Pick<Reaper, 'track'>;
  readonly timeoutMs?: number;
}

const refused = (reason: string): Fault => fault('SERVER_NOT_FOUND', reason);

/** The person's own settings, but those that would change what is built, or where from. */
const buildEnv = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => {
  const { GOOS: _os, GOARCH: _arch, GOBIN: _bin, ...rest } = env;
  // No cgo: needs no C compiler, and gives the static binary that the official release is.
  return { ...rest, GOFLAGS: '-mod=mod', GOWORK: 'off', GO111MODULE: 'on', CGO_ENABLED: '0' };
};

const killGroup = (child: ChildProcess): void => {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
  } catch {
    // Ended in the meantime.
  }
};

const cannotRun = (error: NodeJS.ErrnoException): Fault =>
  refused(error.code === 'ENOENT' ? 'there is no "go" on PATH' : `go cannot be run: ${error.message}`);

const runGo = (
  args: readonly string[],
  cwd: string,
  { env = process.env, reaper, timeoutMs = BUILD_TIMEOUT_MS }: BuildOptions,
  onLine: (line: string) => void,
): Promise<Either<Fault, void>> =>
  new Promise<Either<Fault, void>>((resolve) => {
    const tail: string[] = [];
    // A separate group, since go starts compilers: all of them end together.
    const child = spawn('go', args, {
      cwd,
      env: buildEnv(env),
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    reaper?.track(child, { group: true });
    const expired = setTimeout(() => killGroup(child), timeoutMs);
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        onLine(line);
        tail.push(line);
        if (tail.length > TAIL_LINES) tail.shift();
      });
    }
    child.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(expired);
      resolve(left(cannotRun(error)));
    });
    child.on('close', (code, signal) => {
      clearTimeout(expired);
      if (code === 0) return resolve(right(undefined));
      const how = signal === null ? `exit code ${code}` : `${signal} (limit ${timeoutMs / 1000} s)`;
      resolve(left(refused([`go build ended with ${how}`, ...tail].join('; '))));
    });
    // Only some errors of the system are events; the others are thrown by spawn.
  }).catch((error: NodeJS.ErrnoException) => left(cannotRun(error)));

/**
 * Builds the pinned nats-server into `binary`, an absolute path, by way of the directory `work`.
 *
 * The module in `gomod/` pins the version, and its go.sum the content of everything that is compiled: whichever proxy
 * serves the sources, another content is refused. It is built in a copy, because go may write to go.mod and go.sum and
 * an installed package can be read-only.
 */
export const buildServer =
  (options: BuildOptions) =>
  (binary: string, work: string): TaskEither<Fault, void> =>
  async () => {
    const { version, onProgress = () => undefined } = options;
    const message = `building nats-server ${version} with go, about a minute`;
    onProgress({ stage: 'build', message });
    const module = join(work, 'gomod');
    try {
      await cp(join(packageRoot(), 'broker', 'server', 'gomod'), module, {
        recursive: true,
        dereference: true,
      });
    } catch (error) {
      return left(
        refused(`the Go module cannot be copied: ${error instanceof Error ? error.message : String(error)}`),
      );
    }
    const args = ['build', '-mod=mod', '-trimpath', '-o', binary, 'github.com/nats-io/nats-server/v2'];
    return runGo(args, module, options, (line) =>
      onProgress({ stage: 'build', message: `${message}: ${line}` }),
    );
  };
