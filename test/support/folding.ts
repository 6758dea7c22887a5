import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { type Exit, follow } from './children.js';
import { collectLines } from './lines.js';

const PROGRAM = join(import.meta.dirname, '..', 'fixtures', 'folding.js');

export interface FoldingOptions {
  /** The data directory; its module is `tally`. */
  readonly dataDir: string;
  readonly seed: number;
  readonly count: number;
  readonly agents: number;
  /** Results a second; as fast as it goes without it. */
  readonly rate?: number;
  /** No file may grow above that: a full disk, as far as the program can tell. */
  readonly maxFileKb?: number;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Folding {
  readonly child: ChildProcess;
  readonly lines: readonly string[];
  readonly exited: Promise<Exit>;
  /** The sequence that the last line of a kind names; undefined before it. */
  readonly at: (kind: 'from' | 'at' | 'saved' | 'done') => number | undefined;
}

/** Runs `test/fixtures/folding.ts`: the host's states and snapshots, in a process of their own and without a broker. */
export const startFolding = ({
  dataDir,
  seed,
  count,
  agents,
  rate = 0,
  maxFileKb,
  env,
}: FoldingOptions): Folding => {
  const dir = join(dataDir, 'snapshots', 'tally');
  const args = [process.execPath, PROGRAM, dir, ...[seed, count, agents, rate].map(String)];
  const [command = '', ...rest] =
    maxFileKb === undefined ? args : ['bash', '-c', `ulimit -f ${maxFileKb}; exec "$@"`, 'bash', ...args];
  const child = spawn(command, rest, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  const lines = collectLines(child.stdout);
  return {
    child,
    lines,
    exited: follow(child),
    at: (kind) => {
      const line = lines.findLast((each) => each.startsWith(`${kind} `));
      return line === undefined ? undefined : Number(line.split(' ')[1]);
    },
  };
};
