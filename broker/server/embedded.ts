import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import type { TaskEither } from 'fp-ts/lib/TaskEither.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { awaitInfo } from './await-info.js';
import { checkServerPort } from './server-port.js';
import { isKill, type ServerProcess, type ServerProcessOptions, spawnServer } from './server-process.js';
import { Backoff } from '../../system/async/backoff.js';
import { pause } from '../../system/async/pause.js';

/** A store of millions of records is recovered in seconds; a server that says nothing for a minute is in trouble. */
const READY_TIMEOUT_MS = 60_000;
const STOP_GRACE_MS = 10_000;
const FIRST_BACKOFF_MS = 100;
const MAX_BACKOFF_MS = 5_000;
/** A server that lived so long did not die of its start: the next restart begins with the short pause again. */
const STABLE_MS = 10_000;

export interface EmbeddedOptions extends ServerProcessOptions {
  /** What the configuration listens on, so that it can be asked; `port` is the number itself, not 0. */
  readonly host: string;
  readonly port: number;
  /** The server is gone, or an attempt to start it again failed; it is tried again after a pause. */
  onDown(reason: string): void;
  /** The server answers again. Not called for the first start, whose end the caller sees. */
  onUp(): void;
  /** Of the first start. Default 60 s. */
  readonly readyTimeoutMs?: number;
  /** From SIGTERM to SIGKILL. Default 10 s. */
  readonly stopGraceMs?: number;
}

export interface EmbeddedServer extends AsyncDisposable {
  /** Of the running server; undefined while there is none. */
  readonly pid: number | undefined;
  /** Ends the server; the supervision starts it again. */
  restart(): void;
  /** Ends the server and the supervision; resolves when no process is left. Idempotent. */
  stop(): Promise<void>;
}

/** Starts one process and waits until it answers; a process that did not make it has ended when this resolves. */
const launch = async (
  options: EmbeddedOptions,
  onSpawn: (running: ServerProcess) => void,
  stopping: AbortSignal,
  timeoutMs?: number,
): Promise<Either<Fault, ServerProcess>> => {
  const { host, port, binary } = options;
  // Otherwise the process that has the port could reply in place of the server that fails to listen on it.
  const checked = await checkServerPort(host, port)();
  if (isLeft(checked)) return checked;
  if (stopping.aborted) return left(fault('SERVER_START_FAILED', 'the broker stops'));
  const running = spawnServer(options);
  onSpawn(running);
  const waiting = new AbortController();
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => waiting.abort(), timeoutMs);
  let cause: string | undefined;
  void running.ended.then((how) => {
    cause = how;
    waiting.abort();
  });
  const ready = await awaitInfo(host, port, waiting.signal);
  clearTimeout(timer);
  if (ready && cause === undefined) return right(running);
  // Said before it is ended: what it has to say to its end would push out what it was busy with.
  const why = cause ?? `it did not answer on ${host}:${port} within ${(timeoutMs ?? 0) / 1000} s`;
  const said = running
    .tail()
    .map((line) => `\n  ${line}`)
    .join('');
  await running.stop(0);
  const text = `nats-server (${binary}) did not start: ${why}${said}`;
  return left(fault(isKill(cause) ? 'SERVER_UNREACHABLE' : 'SERVER_START_FAILED', text));
};

/**
 * Runs a nats-server for as long as the broker runs. Fails when the first start fails: `PORT_IN_USE`, or
 * `SERVER_START_FAILED` with the server's own last lines; `SERVER_UNREACHABLE` if it was killed during its start. Later
 * deaths are reported and answered with a restart.
 */
export const startEmbedded =
  (options: EmbeddedOptions): TaskEither<Fault, EmbeddedServer> =>
  async () => {
    const { stopGraceMs = STOP_GRACE_MS, readyTimeoutMs = READY_TIMEOUT_MS } = options;
    let running: ServerProcess | undefined;
    const stopping = new AbortController();

    const onSpawn = (spawned: ServerProcess): void => {
      running = spawned;
      void spawned.ended.then(() => {
        if (running === spawned) running = undefined;
      });
    };

    const relaunch = async (): Promise<ServerProcess | undefined> => {
      // No time limit: as long as the process lives it may be recovering a large store, and to kill it would only
      // restart it for ever.
      const launched = await launch(options, onSpawn, stopping.signal);
      if (stopping.signal.aborted) return undefined;
      if (isLeft(launched)) {
        options.onDown(launched.left.message);
        return undefined;
      }
      options.onUp();
      return launched.right;
    };

    const supervise = async (first: ServerProcess): Promise<void> => {
      let current: ServerProcess | undefined = first;
      const backoff = new Backoff(FIRST_BACKOFF_MS, MAX_BACKOFF_MS);
      while (!stopping.signal.aborted) {
        if (current !== undefined) {
          const since = performance.now();
          const how = await current.ended;
          if (stopping.signal.aborted) return;
          options.onDown(`nats-server (pid ${current.pid}) ended: ${how}`);
          if (performance.now() - since >= STABLE_MS) backoff.reset();
        }
        await pause(backoff.take(), { signal: stopping.signal });
        if (!stopping.signal.aborted) current = await relaunch();
      }
    };

    const started = await launch(options, onSpawn, stopping.signal, readyTimeoutMs);
    if (isLeft(started)) return started;
    const supervision = supervise(started.right);

    let stopped: Promise<void> | undefined;
    const stop = (): Promise<void> => {
      stopped ??= (async () => {
        stopping.abort();
        await running?.stop(stopGraceMs);
        await supervision;
      })();
      return stopped;
    };
    return right({
      get pid() {
        return running?.pid;
      },
      restart: () => void running?.stop(stopGraceMs),
      stop,
      [Symbol.asyncDispose]: stop,
    });
  };
