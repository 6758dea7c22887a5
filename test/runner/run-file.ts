import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { emptiesWithin, membersOf, signalGroup } from './process-group.js';
import type { ReporterLine, TestOutcome } from './outcomes-reporter.js';
import { compiledFile } from './test-files.js';

/** How long what a file started may take to end, after the file has ended or was told to. */
const GRACE_MS = 5_000;

export interface FileRun {
  readonly file: string;
  readonly outcomes: readonly TestOutcome[];
  readonly output: string;
  readonly seconds: number;
  /** Of the file and the programs that it started; unknown if the file was killed. */
  readonly processorSeconds?: number;
}

export interface FileOptions {
  readonly env: NodeJS.ProcessEnv;
  readonly timeoutMs: number;
  /** Where the outcomes are written meanwhile. */
  readonly scratch: string;
  /** Told the process group while it is there. */
  readonly groups: Set<number>;
}

const reporter = (name: string, destination: string): string[] => [
  `--test-reporter=${new URL(`./${name}.js`, import.meta.url).href}`,
  `--test-reporter-destination=${destination}`,
];

const readLines = (path: string): ReporterLine[] =>
  existsSync(path)
    ? readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as ReporterLine)
    : [];

/** What is wrong with a file beyond its tests; counted as a failed test of the name. */
const fileFailure = (name: string): TestOutcome => ({ kind: 'fail', suite: false, name });

/**
 * Runs one test file. `node:test`'s own `run()` is not used, because it neither kills a file that blocks nor what the
 * file has started, and does not tell when a file leaves a process behind.
 */
export const runFile = async (file: string, options: FileOptions): Promise<FileRun> => {
  const outcomesFile = join(options.scratch, `${file.replaceAll('/', '_')}.jsonl`);
  const child = spawn(
    process.execPath,
    [
      '--enable-source-maps',
      ...reporter('spec-reporter', 'stdout'),
      ...reporter('outcomes-reporter', outcomesFile),
      compiledFile(file),
    ],
    { env: options.env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const startedAt = performance.now();
  const group = child.pid;
  if (group === undefined) throw new Error(`${process.execPath} could not be started`);
  options.groups.add(group);

  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk));
  const closed = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));

  let late = false;
  let force: NodeJS.Timeout | undefined;
  const deadline = setTimeout(() => {
    late = true;
    signalGroup(group, 'SIGTERM');
    force = setTimeout(() => signalGroup(group, 'SIGKILL'), GRACE_MS);
  }, options.timeoutMs);
  const code = await exited;
  clearTimeout(deadline);

  const isEmpty = await emptiesWithin(group, GRACE_MS);
  clearTimeout(force);
  const left = isEmpty ? [] : membersOf(group);
  signalGroup(group, 'SIGKILL');
  await closed;
  // The signal is sent, not yet obeyed: a busy machine ends the processes a moment later.
  await emptiesWithin(group, GRACE_MS);
  options.groups.delete(group);

  const lines = readLines(outcomesFile);
  const outcomes = lines.flatMap((line) => ('kind' in line ? [line] : []));
  const cost = lines.find((line) => 'processorSeconds' in line) ?? {};
  const hasFailed = outcomes.some(({ kind }) => kind === 'fail' || kind === 'cancelled');
  const failures = [
    ...(late ? [`the file did not end within ${options.timeoutMs / 1_000} s`] : []),
    ...(left.length > 0
      ? [`the file left processes behind: ${left.map((it) => `${it.pid} ${it.command}`).join('; ')}`]
      : []),
    ...(outcomes.length === 0 ? ['the file ran no test'] : []),
    ...(code !== 0 && !hasFailed && !late ? [`the file ended with ${code ?? 'a signal'}`] : []),
  ];
  const output = `${Buffer.concat(chunks).toString('utf8')}${failures.map((it) => `✖ ${it}\n`).join('')}`;
  const seconds = (performance.now() - startedAt) / 1_000;
  return { file, output, seconds, ...cost, outcomes: [...outcomes, ...failures.map(fileFailure)] };
};
