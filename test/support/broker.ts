import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { type Exit, follow } from './children.js';
import { showOnFailure } from './failure-log.js';
import { collectLines } from './lines.js';
import { tallystickPath } from './program-paths.js';
import { PROJECT_ROOT } from './project-root.js';
import { runCommand } from './run-command-line.js';
import type { ProgramOptions, ProgramResult } from './run-program.js';
import { tempDir } from './temp-dir.js';
import { waitFor } from './wait-for.js';

const SHIPPED = join(PROJECT_ROOT, 'dist', 'modules');

/** The one line that `tallystick start --json` prints once it serves. */
export interface Ready {
  readonly ready: true;
  readonly pid: number;
  readonly nats: string;
  readonly http?: string | null;
  readonly dataDir: string;
  readonly durability: string;
  readonly server: Readonly<Record<string, unknown>>;
  readonly modules: readonly { readonly name: string; readonly version: string; readonly pid: number }[];
}

export interface BrokerOptions {
  /** Kept when the broker is disposed of; without it, a temporary one goes with the broker. */
  readonly dataDir?: string;
  /** A server that runs elsewhere; without it, one is embedded, on a free port. */
  readonly natsUrl?: string;
  /** Which of the modules that ship with the package are loaded, by name; without it, all: each is a process. */
  readonly shipped?: readonly string[];
  /** HTTP is served, on a free port. */
  readonly http?: boolean;
  /** Further arguments of `tallystick start`. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** A program that runs the rest of its arguments in its own place. */
  readonly within?: readonly string[];
  readonly readyWithinMs?: number;
}

export interface TestBroker extends AsyncDisposable {
  readonly ready: Ready;
  readonly pid: number;
  readonly url: string;
  readonly dataDir: string;
  /** The lines of standard output so far; grows. The first is `ready`. */
  readonly stdout: readonly string[];
  /** The lines of standard error so far; grows. */
  readonly stderr: readonly string[];
  readonly exited: Promise<Exit>;
  /** Sends the signal and waits for the end. */
  readonly kill: (signal?: NodeJS.Signals) => Promise<Exit>;
  /** Asks it to end by SIGTERM; anything but exit code 0 throws. */
  readonly stop: () => Promise<void>;
}

const parseReady = (line: string): Ready => {
  const value = JSON.parse(line) as Partial<Ready>;
  if (value.ready !== true || typeof value.nats !== 'string') {
    throw new Error(`The first line of tallystick start is not the ready line: ${line}`);
  }
  return value as Ready;
};

/** Starts the real broker by its command line and waits until it serves. */
export const startBroker = async (options: BrokerOptions = {}): Promise<TestBroker> => {
  const own = options.dataDir === undefined ? tempDir() : undefined;
  const dataDir = options.dataDir ?? own?.path ?? '';
  const server = options.natsUrl === undefined ? ['--nats-port', '0'] : ['--nats', options.natsUrl];
  const shipped = (options.shipped ?? []).flatMap((name) => ['--module', join(SHIPPED, name)]);
  const modules = options.shipped === undefined ? [] : ['--no-shipped', ...shipped];
  const [program = process.execPath, ...before] = [...(options.within ?? []), process.execPath];
  const child = spawn(
    program,
    [
      ...before,
      tallystickPath(),
      'start',
      '--json',
      '--log-format',
      'text',
      '--data',
      dataDir,
      ...server,
      ...modules,
      ...(options.http === true ? ['--http-port', '0'] : ['--no-http']),
      ...(options.args ?? []),
    ],
    { env: { ...process.env, ...options.env }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const exited = follow(child);
  const stdout = collectLines(child.stdout);
  const stderr = collectLines(child.stderr);
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  showOnFailure(`tallystick start, pid ${child.pid}`, () => stderr.join('\n'));

  const kill = (signal: NodeJS.Signals = 'SIGKILL'): Promise<Exit> => {
    child.kill(signal);
    return exited;
  };
  const dispose = async (): Promise<void> => {
    // A graceful end first, so that the broker takes its server and its modules with it.
    if (!hasEnded()) {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
      await exited;
      clearTimeout(timer);
    }
    await own?.[Symbol.asyncDispose]();
  };

  try {
    const first = await waitFor(
      'tallystick start to be ready',
      () => {
        if (stdout[0] !== undefined) return stdout[0];
        if (hasEnded())
          return new Error(
            `tallystick start ended with ${child.exitCode} (${child.signalCode ?? 'no signal'})\n${stderr.join('\n')}`,
          );
        return undefined;
      },
      options.readyWithinMs ?? 60_000,
    );
    if (first instanceof Error) throw first;
    const ready = parseReady(first);
    return {
      ready,
      pid: child.pid ?? -1,
      url: ready.nats,
      dataDir,
      stdout,
      stderr,
      exited,
      kill,
      stop: async () => {
        const { code, signal } = await kill('SIGTERM');
        if (code !== 0) {
          throw new Error(`tallystick start ended with ${code ?? signal} on SIGTERM\n${stderr.join('\n')}`);
        }
      },
      [Symbol.asyncDispose]: dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
};

export interface TallystickOptions extends ProgramOptions {
  readonly dataDir?: string;
}

/** Runs the command line to its end. */
export const tallystick = (
  args: readonly string[],
  { dataDir, ...options }: TallystickOptions = {},
): Promise<ProgramResult> =>
  runCommand([...args, ...(dataDir === undefined ? [] : ['--data', dataDir])], options);
