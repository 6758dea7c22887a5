import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { NatsConnection } from 'nats';
import { newUserKey } from '../../link/nkey.js';
import { isLeft } from 'fp-ts/lib/Either.js';
import { makeDirs } from '../../system/files/make-dirs.js';
import { freePort } from '../../system/processes/free-port.js';
import { startReaper } from '../../system/processes/reaper.js';
import { FaultError, fault } from '../../schemas/errors.js';
import type { Durability } from '../../schemas/log.js';
import { connectOperator } from './connect-operator.js';
import type { Installation } from './installation.js';
import { KINDS, type LoadKind } from './setting.js';

export interface OwnBrokerOptions {
  /** The command line: what `npx tallystick` runs. */
  readonly program: string;
  /** Directory of the compiled modules, of which {@link KINDS} names one. */
  readonly modulesDir: string;
  readonly dir: string;
  readonly kind: LoadKind;
  readonly durability: Durability;
}

const HOST = '127.0.0.1';
const STOP_GRACE_MS = 30_000;

const said = (path: string): string => {
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  return lines.slice(-5).join('\n');
};

/** A new broker, in a separate process as users run it, with its files in `dir`. Throws {@link FaultError}. */
export const startOwnBroker = async (options: OwnBrokerOptions): Promise<Installation> => {
  const { program, modulesDir, dir, kind, durability } = options;
  const dataDir = join(dir, 'data');
  makeDirs(dataDir);
  const port = await freePort(HOST)();
  if (isLeft(port)) throw new FaultError(port.left);
  const { module } = KINDS[kind];
  const key = newUserKey();
  const reaper = startReaper();
  const logPath = join(dir, 'broker.log');
  const log = openSync(logPath, 'a');
  const args = [
    ...['start', '--json', '--log-format', 'text', '--data', dataDir, '--nats-port', String(port.right)],
    ...['--durability', durability, '--no-shipped', '--module', join(modulesDir, module)],
    ...(kind === 'events' ? ['--trust', `${module}=${key.publicKey}`] : []),
  ];
  let child: ChildProcess | undefined;
  const start = async (): Promise<void> => {
    // Its environment may name another server. A Ctrl-C is for the process that runs the test, which ends this one.
    const env = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !name.startsWith('NATS_U')),
    );
    const started = spawn(process.execPath, [program, ...args], {
      env,
      detached: true,
      stdio: ['ignore', 'pipe', log],
    });
    child = started;
    reaper.track(started);
    const line = once(createInterface(started.stdout as NodeJS.ReadableStream), 'line');
    const ended = once(started, 'exit').then(([code, signal]) => {
      const text = `the broker of the test ended with ${code ?? signal}: ${said(logPath)}`;
      throw new FaultError(fault('SERVER_START_FAILED', text));
    });
    ended.catch(() => undefined);
    await Promise.race([line, ended]);
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    const timer = setTimeout(() => child?.kill('SIGKILL'), STOP_GRACE_MS);
    await exited;
    clearTimeout(timer);
  };
  let operator: NatsConnection | undefined;
  const close = async (): Promise<void> => {
    await operator?.close();
    await end('SIGTERM');
    reaper.close();
  };
  try {
    await start();
    operator = await connectOperator(dataDir);
    return {
      url: `nats://${HOST}:${port.right}`,
      durability,
      isOwn: true,
      dataDir,
      caller: { sender: 'guest' },
      trustedSeed: kind === 'events' ? key.seed : undefined,
      operator,
      restart: async () => {
        await end('SIGKILL');
        await start();
      },
      [Symbol.asyncDispose]: close,
    };
  } catch (error) {
    await close();
    throw error;
  }
};
