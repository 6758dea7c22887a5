import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Exit, follow } from './children.js';
import { showOnFailure } from './failure-log.js';
import { natsServerPath } from './program-paths.js';
import { tempDir } from './temp-dir.js';
import { waitFor } from './wait-for.js';

export interface ServerOptions {
  /** Added to the configuration: accounts, users, limits. */
  readonly config?: string;
  /** Where JetStream keeps its files; without it, in a folder that goes with the server. */
  readonly storeDir?: string;
  /** Added to the JetStream block: its limits. */
  readonly jetstream?: string;
  readonly name?: string;
  /** `always`, or a duration such as `2m`, which is the server's own default. */
  readonly syncInterval?: string;
}

export interface TestServer extends AsyncDisposable {
  /** Stays the same over a restart. */
  readonly url: string;
  readonly port: number;
  readonly storeDir: string;
  /** Of the process that runs now, or ran last. */
  readonly pid: number;
  /** What the server has logged so far, over all restarts. */
  readonly log: () => string;
  /** Sends the signal and waits for the end. */
  readonly kill: (signal?: NodeJS.Signals) => Promise<Exit>;
  /** Starts it again on the same port and files; ends it first, with the signal, if it runs. */
  readonly restart: (signal?: NodeJS.Signals) => Promise<void>;
}

interface Run {
  readonly pid: number;
  readonly exited: Promise<Exit>;
  readonly hasEnded: () => boolean;
  readonly kill: (signal: NodeJS.Signals) => void;
}

const launch = (args: readonly string[]): Run => {
  const child = spawn(natsServerPath(), args, { stdio: 'ignore' });
  const exited = follow(child);
  return {
    pid: child.pid ?? -1,
    exited,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null || child.pid === undefined,
    kill: (signal) => {
      child.kill(signal);
    },
  };
};

/** A real nats-server with JetStream, on a port that the system picks. */
export const startServer = async (options: ServerOptions = {}): Promise<TestServer> => {
  const dir = tempDir();
  const storeDir = options.storeDir ?? join(dir.path, 'store');
  const portsDir = join(dir.path, 'ports');
  const configFile = join(dir.path, 'server.conf');
  const logFile = join(dir.path, 'server.log');
  await mkdir(portsDir);
  await writeFile(logFile, '');
  await writeFile(
    configFile,
    [
      'host: "127.0.0.1"',
      'port: -1',
      `server_name: ${JSON.stringify(options.name ?? 'test')}`,
      `ports_file_dir: ${JSON.stringify(portsDir)}`,
      `log_file: ${JSON.stringify(logFile)}`,
      'jetstream {',
      `  store_dir: ${JSON.stringify(storeDir)}`,
      ...(options.syncInterval === undefined ? [] : [`  sync_interval: ${options.syncInterval}`]),
      ...(options.jetstream === undefined ? [] : [`  ${options.jetstream}`]),
      '}',
      options.config ?? '',
    ].join('\n'),
  );

  let finalLog: string | undefined;
  const log = (): string => finalLog ?? readFileSync(logFile, 'utf8');
  showOnFailure(`nats-server ${options.name ?? 'test'}`, log);

  let run: Run;
  const start = async (args: readonly string[]): Promise<string> => {
    const started = launch(['--config', configFile, ...args]);
    run = started;
    const portsFile = join(portsDir, `nats-server_${started.pid}.ports`);
    // Written when the listener is open; JetStream has recovered by then, for the server starts that first.
    const url = await waitFor(
      'nats-server to listen',
      async () => {
        if (started.hasEnded()) return new Error(`nats-server ended at its start\n${log()}`);
        const { nats } = JSON.parse(await readFile(portsFile, 'utf8')) as { nats: string[] };
        return nats[0];
      },
      30_000,
    );
    if (url instanceof Error) throw url;
    return url;
  };

  const kill = async (signal: NodeJS.Signals = 'SIGKILL'): Promise<Exit> => {
    run.kill(signal);
    const exit = await run.exited;
    await rm(join(portsDir, `nats-server_${run.pid}.ports`), { force: true });
    return exit;
  };
  const dispose = async (): Promise<void> => {
    if (finalLog !== undefined) return;
    await kill('SIGKILL');
    finalLog = log();
    await dir[Symbol.asyncDispose]();
  };

  try {
    const url = await start([]);
    const port = Number(new URL(url).port);
    return {
      url,
      port,
      storeDir,
      get pid() {
        return run.pid;
      },
      log,
      kill,
      restart: async (signal = 'SIGTERM') => {
        await kill(signal);
        await start(['--port', String(port)]);
      },
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
};
