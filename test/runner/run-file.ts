import { spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { emptiesWithin, membersOf, signalGroup } from './process-group.js';
import type { ReporterLine, TestOutcome } from './outcomes-reporter.js';
import { compiledFile } from './test-files.js';

/** How long what a file started may take to end, after the file has ended or was told to. */
const GRACE_MS = 5_000;

/**
 * A failed test often leaves a connection open that the test would have closed, so the file does not end. No test that comes behind a
 * failed one takes so long.
 */
const SILENT_AFTER_FAILURE_MS = 180_000;
const LOOK_MS = 1_000;

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
  /** How long a file may run on after a failed test without the end of another test; default 180 s. */
  readonly silentMs?: number;
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

const isBad = ({ kind }: TestOutcome): boolean => kind === 'fail' || kind === 'cancelled';

const outcomesIn = (path: string): readonly TestOutcome[] =>
  readLines(path).flatMap((line) => ('kind' in line ? [line] : []));

/** Whether a test has failed, and since then none has ended for so long. */
const isSilent = (path: string, forMs: number): boolean => {
  const since = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  return since !== undefined && Date.now() - since > forMs && outcomesIn(path).some(isBad);
};

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

  let late: string | undefined;
  let force: NodeJS.Timeout | undefined;
  const end = (why: string): void => {
    late ??= why;
    signalGroup(group, 'SIGTERM');
    force ??= setTimeout(() => signalGroup(group, 'SIGKILL'), GRACE_MS);
  };
  const deadline = setTimeout(
    () => end(`the file did not end within ${options.timeoutMs / 1_000} s`),
    options.timeoutMs,
  );
  const { silentMs = SILENT_AFTER_FAILURE_MS } = options;
  const looking = setInterval(() => {
    if (isSilent(outcomesFile, silentMs))
      end(`the file did not end within ${silentMs / 1_000} s after its last test`);
  }, LOOK_MS);
  const code = await exited;
  clearTimeout(deadline);
  clearInterval(looking);

  const isEmpty = await emptiesWithin(group, GRACE_MS);
  clearTimeout(force);
  const left = isEmpty ? [] : membersOf(group);
  signalGroup(group, 'SIGKILL');
  await closed;
  // The signal is sent, not yet obeyed: a busy machine ends the processes a moment later.
  await emptiesWithin(group, GRACE_MS);
  options.groups.delete(group);

  const lines = readLines(outcomesFile);
  const outcomes = outcomesIn(outcomesFile);
  const cost = lines.find((line) => 'processorSeconds' in line) ?? {};
  const failures = [
    ...(late === undefined ? [] : [late]),
    ...(left.length > 0
      ? [`the file left processes behind: ${left.map((it) => `${it.pid} ${it.command}`).join('; ')}`]
      : []),
    ...(outcomes.length === 0 ? ['the file ran no test'] : []),
    ...(code !== 0 && !outcomes.some(isBad) && late === undefined
      ? [`the file ended with ${code ?? 'a signal'}`]
      : []),
  ];
  const output = `${Buffer.concat(chunks).toString('utf8')}${failures.map((it) => `✖ ${it}\n`).join('')}`;
  const seconds = (performance.now() - startedAt) / 1_000;
  return { file, output, seconds, ...cost, outcomes: [...outcomes, ...failures.map(fileFailure)] };
};
