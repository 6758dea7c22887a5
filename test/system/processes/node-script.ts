import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A Node process that runs a script of the test. */
export interface NodeScript {
  readonly child: ChildProcess;
  readonly pid: number;
  /** The next line that it prints; rejects when it ends first. */
  nextLine(): Promise<string>;
  /** Kills it with -9 and waits until it is gone. */
  kill(): Promise<void>;
}

/** The address of a compiled file, for an `import` in a script; `path` is relative to the root of the compiled tree. */
export const compiled = (path: string): string => new URL(`../../../${path}`, import.meta.url).href;

/** Runs `source` (an ES module) in a Node process of its own. */
export const runScript = (source: string, args: readonly string[] = [], env = process.env): NodeScript => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', source, '--', ...args], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  const waiting: { resolve(line: string): void; reject(error: Error): void }[] = [];
  const reader = createInterface({ input: child.stdout });
  let over = false;
  reader.on('line', (line) => {
    const first = waiting.shift();
    if (first === undefined) lines.push(line);
    else first.resolve(line);
  });
  reader.on('close', () => {
    over = true;
    for (const { reject } of waiting.splice(0)) reject(new Error('the script ended without that line'));
  });
  return {
    child,
    pid: child.pid ?? 0,
    nextLine: () =>
      new Promise((resolve, reject) => {
        const line = lines.shift();
        if (line !== undefined) resolve(line);
        else if (over) reject(new Error('the script ended without that line'));
        else waiting.push({ resolve, reject });
      }),
    kill: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGKILL');
      await gone;
    },
  };
};
