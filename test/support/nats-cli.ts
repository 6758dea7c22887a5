import { spawn } from 'node:child_process';
import { type Exit, follow } from './children.js';
import { collectLines } from './lines.js';
import { natsCliPath } from './program-paths.js';
import { type ProgramOptions, type ProgramResult, runProgram } from './run-program.js';
import { waitFor } from './wait-for.js';

export interface NatsCliOptions extends ProgramOptions {
  readonly url: string;
}

/** Runs the stock `nats` command line against a server. */
export const natsCli = (
  args: readonly string[],
  { url, ...options }: NatsCliOptions,
): Promise<ProgramResult> => runProgram(natsCliPath(), ['--server', url, ...args], options);

export interface NatsProcess extends AsyncDisposable {
  readonly pid: number;
  /** The lines of standard output so far; grows. */
  readonly stdout: readonly string[];
  /** The lines of standard error so far; grows. `nats sub` announces its subscription here. */
  readonly stderr: readonly string[];
  /** The first line of either, from the beginning, that the pattern matches; waits for it. */
  readonly line: (pattern: RegExp, timeoutMs?: number) => Promise<string>;
  readonly exited: Promise<Exit>;
  /** Ends it as Ctrl-C does. */
  readonly stop: () => Promise<Exit>;
}

/** Starts a `nats` command that goes on, such as `nats sub`. */
export const natsSpawn = (
  args: readonly string[],
  { url, env, cwd }: Pick<NatsCliOptions, 'url' | 'env' | 'cwd'>,
): NatsProcess => {
  const child = spawn(natsCliPath(), ['--server', url, ...args], {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = follow(child);
  const stdout = collectLines(child.stdout);
  const stderr = collectLines(child.stderr);
  const stop = (): Promise<Exit> => {
    child.kill('SIGINT');
    return exited;
  };
  return {
    pid: child.pid ?? -1,
    stdout,
    stderr,
    exited,
    stop,
    line: (pattern, timeoutMs) =>
      waitFor(
        `${pattern} from nats ${args.join(' ')}`,
        () => {
          const found = [...stdout, ...stderr].find((line) => pattern.test(line));
          if (found === undefined) throw new Error([...stdout, ...stderr].join('\n') || 'no output');
          return found;
        },
        timeoutMs,
      ),
    [Symbol.asyncDispose]: async () => {
      await stop();
    },
  };
};
