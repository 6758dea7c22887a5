import { spawn } from 'node:child_process';
import { follow } from './children.js';
import { showOnFailure } from './failure-log.js';
import { collectLines } from './lines.js';
import { tallystickPath } from './program-paths.js';
import { waitFor } from './wait-for.js';

/** A running `tallystick dev` that prints for a person. */
export interface DevLines extends AsyncDisposable {
  readonly lines: readonly string[];
  /** The first line that fits, behind all that this function gave before. */
  readonly shows: (pattern: RegExp) => Promise<string>;
}

/** Starts `tallystick dev` without --json, on a free port. */
export const startDevLines = (cwd: string, args: readonly string[] = []): DevLines => {
  const command = [tallystickPath(), 'dev', '--nats-port', '0', ...args];
  const child = spawn(process.execPath, command, { cwd, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = follow(child);
  const lines = collectLines(child.stdout);
  const stderr = collectLines(child.stderr);
  showOnFailure('tallystick dev', () => [...lines, ...stderr].join('\n'));
  let seen = 0;
  return {
    lines,
    shows: (pattern) =>
      waitFor(`tallystick dev to print ${pattern}`, () => {
        const at = lines.findIndex((line, i) => i >= seen && pattern.test(line));
        if (at !== -1) seen = at + 1;
        return lines[at];
      }),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      const timer = setTimeout(() => child.kill('SIGKILL'), 20_000);
      await exited;
      clearTimeout(timer);
    },
  };
};
