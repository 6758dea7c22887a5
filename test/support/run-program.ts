import { spawn } from 'node:child_process';
import { follow } from './children.js';

export interface ProgramOptions {
  /** Added to the environment of this process; `undefined` takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** What the program reads on standard input; without it, standard input is empty. */
  readonly input?: string | Uint8Array;
  readonly cwd?: string;
  readonly timeoutMs?: number;
}

export interface ProgramResult {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end. Any exit code is an answer; only a program that does not end in time throws. */
export const runProgram = async (
  command: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<ProgramResult> => {
  const timeoutMs = options.timeoutMs ?? 120_000;
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const exited = follow(child);
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text;
  });
  // A program may end without reading its input; that is for its exit code to judge.
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');

  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
    // A grandchild may hold the pipes open after the kill; what was read so far is enough for the message.
    child.stdout.destroy();
    child.stderr.destroy();
  }, timeoutMs);
  try {
    const { code } = await exited;
    await closed;
    if (late) {
      throw new Error(
        `${command} ${args.join(' ')} did not end within ${timeoutMs} ms\n${output.stdout}${output.stderr}`,
      );
    }
    return { code, ...output };
  } finally {
    clearTimeout(timer);
  }
};
