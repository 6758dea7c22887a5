import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { PROJECT_ROOT } from './project-root.js';
import type { ProgramOptions, ProgramResult } from './run-program.js';

/** What a thread is asked to run. */
export interface CommandOrder {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly input: string | Uint8Array;
}

/** What a thread tells: output as it comes, then the end. */
export type CommandNews =
  | { readonly stream: 'stdout' | 'stderr'; readonly text: string }
  /** A thread that keeps something open after its command runs no other. */
  | { readonly code: number; readonly isClean: boolean };

const PROGRAM = join(PROJECT_ROOT, 'dist', 'bin', 'tallystick.js');
const MAIN = new URL('./command-thread-worker.js', import.meta.url);

/** They ask the broker and print its reply. Other commands run code, listen to signals or open LMDB. */
const ASK = new Set([
  'agent',
  'audit',
  'call',
  'config',
  'connect',
  'conversation',
  'dead',
  'env',
  'schedule',
  'status',
  'token',
]);
const ASK_OF: Readonly<Record<string, ReadonlySet<string>>> = {
  module: new Set(['list', 'load', 'info', 'stats', 'unload', 'reload', 'remove']),
  replay: new Set(['history', 'trace']),
};
/** A past state is folded in this process. Some output goes on until a signal. */
const OF_PROCESS = new Set(['--at', '--follow', '--every', '--step']);
/** Node reads these when a process starts; fail-points kill the process. */
const AT_START = /^(?:NODE_|TZ$|LC_|LANG|TALLYSTICK_FAIL)/;

const isAsking = ([first = '', second = '', ...rest]: readonly string[]): boolean =>
  (ASK.has(first) || ASK_OF[first]?.has(second) === true) &&
  ![second, ...rest].some((word) => OF_PROCESS.has(word.replace(/=.*/, '')));

/** Whether a command prints the same in a thread. Coverage counts processes. */
export const fitsThread = (program: string, args: readonly string[], { env = {} }: ProgramOptions): boolean =>
  program === PROGRAM &&
  process.env.NODE_V8_COVERAGE === undefined &&
  isAsking(args) &&
  !Object.keys(env).some((name) => AT_START.test(name)) &&
  existsSync(PROGRAM);

const idle: Worker[] = [];
/** Threads have the directory of the process, so all commands of one moment have the same. */
let running = 0;
let home = process.cwd();

/** Whether a command can begin now in this directory. */
export const hasDirectory = (cwd: string): boolean => running === 0 || cwd === process.cwd();

const begin = (cwd: string): void => {
  if (running === 0) home = process.cwd();
  running += 1;
  if (cwd !== process.cwd()) process.chdir(cwd);
};

const end = (): void => {
  running -= 1;
  if (running === 0 && home !== process.cwd()) process.chdir(home);
};

const definedOf = (env: NodeJS.ProcessEnv): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );

/**
 * Runs a command of the command line to its end, in a thread of this process: a separate process costs seven times as much.
 * Each command has modules as new as in a process. Its arguments, variables, input, output and exit code are those of a process too.
 */
export const runInThread = (args: readonly string[], options: ProgramOptions): Promise<ProgramResult> => {
  const timeoutMs = options.timeoutMs ?? 30_000;
  begin(options.cwd ?? process.cwd());
  const worker = idle.pop() ?? new Worker(MAIN, { execArgv: [], stdin: false });
  worker.ref();
  const output = { stdout: '', stderr: '' };
  return new Promise<ProgramResult>((resolve, reject) => {
    const settle = (): void => {
      clearTimeout(timer);
      // Named events only: Node itself listens to others.
      for (const event of ['message', 'error', 'exit']) worker.removeAllListeners(event);
      end();
    };
    const timer = setTimeout(() => {
      settle();
      void worker.terminate();
      const shown = `tallystick ${args.join(' ')} did not end within ${timeoutMs} ms`;
      reject(new Error(`${shown}\n${output.stdout}${output.stderr}`));
    }, timeoutMs);
    worker.on('message', (news: CommandNews) => {
      if ('stream' in news) {
        output[news.stream] += news.text;
        return;
      }
      settle();
      if (news.isClean) {
        worker.unref();
        idle.push(worker);
      } else void worker.terminate();
      resolve({ code: news.code, ...output });
    });
    worker.once('error', (error) => {
      settle();
      output.stderr += `${error.stack}\n`;
      resolve({ code: 1, ...output });
    });
    worker.once('exit', (code) => {
      settle();
      resolve({ code, ...output });
    });
    worker.postMessage({
      argv: args,
      env: definedOf({ ...process.env, ...options.env }),
      input: options.input ?? '',
    } satisfies CommandOrder);
  });
};
