import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { type Either, isLeft } from 'fp-ts/lib/Either.js';
import type { NatsConnection } from 'nats';
import { dial } from '../../link/dial.js';
import { ensureLog } from '../../broker/streams/log-stream.js';
import { freePort } from '../../system/processes/free-port.js';
import { startReaper } from '../../system/processes/reaper.js';
import { startEmbedded } from '../../broker/server/embedded.js';
import { findServer } from '../../broker/server/find.js';
import { defaultMemoryLimitBytes } from '../../broker/server/memory-limit.js';
import { type Fault, FaultError } from '../../schemas/errors.js';
import type { Durability } from '../../schemas/log.js';
import { makeBenchDir } from './bench-dir.js';

/** A server with an empty log, for one measurement, on this machine and for this process alone. */
export interface BenchServer extends AsyncDisposable {
  readonly url: string;
  readonly version: string;
  /** A connection that goes with the server. */
  readonly nc: NatsConnection;
  readonly pid: () => number | undefined;
}

const HOST = '127.0.0.1';
/** As the broker runs its own; the second is the server's default. */
const SYNC_INTERVAL = { fsync: 'always', os: '2m' } satisfies Record<Durability, string>;
const MAX_BYTES = 16 * 1024 ** 3;

const or = <T>(outcome: Either<Fault, T>): T => {
  if (isLeft(outcome)) throw new FaultError(outcome.left);
  return outcome.right;
};

/**
 * Starts a nats-server of this package's version on new files, which are removed with it. Throws {@link FaultError}.
 */
export const startBenchServer = async (
  durability: Durability,
  say: (line: string) => void,
  memoryLimitBytes = defaultMemoryLimitBytes(),
): Promise<BenchServer> => {
  const undo: (() => unknown)[] = [];
  const end = async (): Promise<void> => {
    for (let each = undo.pop(); each !== undefined; each = undo.pop()) await each();
  };
  try {
    return { ...(await start(durability, say, memoryLimitBytes, undo)), [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw error;
  }
};

const start = async (
  durability: Durability,
  say: (line: string) => void,
  memoryLimitBytes: number,
  undo: (() => unknown)[],
): Promise<Omit<BenchServer, keyof AsyncDisposable>> => {
  const reaper = startReaper();
  undo.push(() => reaper.close());
  const binary = or(await findServer({ reaper })());
  const files = await makeBenchDir();
  undo.push(() => files[Symbol.asyncDispose]());
  const dir = files.path;
  const port = or(await freePort(HOST)());
  const configPath = join(dir, 'server.conf');
  const settings = [
    `host: "${HOST}"`,
    `port: ${port}`,
    `jetstream { store_dir: ${JSON.stringify(join(dir, 'store'))}, sync_interval: ${SYNC_INTERVAL[durability]} }`,
  ];
  await writeFile(configPath, `${settings.join('\n')}\n`);
  say(`nats-server ${binary.version} (${binary.source}), durability ${durability}`);
  const server = or(
    await startEmbedded({
      binary: binary.path,
      configPath,
      host: HOST,
      port,
      memoryLimitBytes,
      reaper,
      logLine: () => undefined,
      onDown: say,
      onUp: () => say('nats-server is up again'),
    })(),
  );
  undo.push(() => server.stop());
  // Ctrl-C in the middle: a server that still writes would keep its files from being removed.
  const atExit = (): void => {
    if (server.pid !== undefined) process.kill(server.pid, 'SIGKILL');
  };
  process.prependOnceListener('exit', atExit);
  undo.push(() => process.off('exit', atExit));
  const url = `${HOST}:${port}`;
  const nc = await dial({ servers: url, redialMs: 1_000 });
  undo.push(() => nc.close());
  or(await ensureLog(await jetstreamManager(nc), { maxBytes: MAX_BYTES, defaultMaxBytes: MAX_BYTES })());
  return { url, version: binary.version, nc, pid: () => server.pid };
};
