import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { type Exit, follow } from './children.js';
import { collectLines } from './lines.js';
import { waitFor } from './wait-for.js';

const PROGRAM = join(import.meta.dirname, '..', 'fixtures', 'indexing.js');

export interface Indexing {
  readonly child: ChildProcess;
  /** What it said that a person should know. */
  readonly said: () => readonly string[];
  readonly exited: Promise<Exit>;
  /** What it had when it caught up. */
  readonly ready: { readonly seq: number; readonly open: number; readonly agents: number };
  /** The due time behind the last firing of a schedule, as text; undefined without one. */
  readonly lastFiring: (schedule: string) => Promise<string | undefined>;
  readonly end: (signal: NodeJS.Signals) => Promise<Exit>;
}

export interface IndexingOptions {
  /** No file may grow above that: a full disk, as far as the program can tell. */
  readonly maxFileKb?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs `test/fixtures/indexing.ts`: the broker's index of a log, in a process of its own, until it has caught up. */
export const startIndexing = async (
  url: string,
  dataDir: string,
  { maxFileKb, env }: IndexingOptions = {},
): Promise<Indexing> => {
  const args = [process.execPath, PROGRAM, url, join(dataDir, 'index')];
  const [command = '', ...rest] =
    maxFileKb === undefined ? args : ['bash', '-c', `ulimit -f ${maxFileKb}; exec "$@"`, 'bash', ...args];
  const child = spawn(command, rest, {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  const exited = follow(child);
  const lines = collectLines(child.stdout);
  const ready = await waitFor(
    'the index',
    () => {
      const { exitCode, signalCode } = child;
      if (exitCode !== null || signalCode !== null)
        return new Error(`the index ended with ${exitCode ?? signalCode}`);
      return lines.find((line) => line.startsWith('ready '));
    },
    30_000,
  );
  if (ready instanceof Error) throw ready;
  const [seq = 0, open = 0, agents = 0] = ready.split(' ').slice(1).map(Number);
  return {
    child,
    said: () => lines.filter((line) => line.startsWith('said ')).map((line) => line.slice(5)),
    exited,
    ready: { seq, open, agents },
    lastFiring: async (schedule) => {
      const from = lines.length;
      child.stdin.write(`${schedule}\n`);
      const isAnswer = (line: string): boolean => line.startsWith(`firing ${schedule} `);
      const answer = await waitFor('the answer', () => lines.slice(from).find(isAnswer));
      return answer.split(' ')[2] || undefined;
    },
    end: (signal) => {
      child.kill(signal);
      return exited;
    },
  };
};
