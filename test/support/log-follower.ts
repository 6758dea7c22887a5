import { spawn } from 'node:child_process';
import type { HistoryLine } from '../../schemas/record.js';
import type { Result } from '../../schemas/result.js';
import { follow } from './children.js';
import { collectLines } from './lines.js';
import { tallystickPath } from './program-paths.js';
import { waitFor } from './wait-for.js';

/** The log as `tallystick replay history --follow` tells it, from its beginning on. */
export interface LogFollower extends AsyncDisposable {
  readonly records: () => readonly HistoryLine[];
  /** Every result that the log has for a command. */
  readonly resultsOf: (command: number) => readonly HistoryLine[];
  /** Waits for the result of a command. */
  readonly result: (command: number, timeoutMs?: number) => Promise<Result>;
}

export const followLog = (dataDir: string): LogFollower => {
  const child = spawn(
    process.execPath,
    [tallystickPath(), 'replay', 'history', '--follow', '--json', '--data', dataDir],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const exited = follow(child);
  const lines = collectLines(child.stdout);
  const read: HistoryLine[] = [];
  const records = (): readonly HistoryLine[] => {
    while (read.length < lines.length) read.push(JSON.parse(lines[read.length] as string) as HistoryLine);
    return read;
  };
  const resultsOf = (command: number): readonly HistoryLine[] =>
    records().filter(({ kind, cause }) => kind === 'res' && cause === command);
  return {
    records,
    resultsOf,
    result: (command, timeoutMs = 30_000) =>
      waitFor(
        `the result of command ${command}`,
        () => resultsOf(command)[0]?.data as Result | undefined,
        timeoutMs,
      ),
    [Symbol.asyncDispose]: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
};
