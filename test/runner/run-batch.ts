import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { FILE_MARK } from './end-of-file.js';
import type { FileEnd, ReporterLine, TestOutcome } from './outcomes-reporter.js';
import { supervise } from './supervise.js';
import { compiledFile } from './test-files.js';

/**
 * A failed test often leaves a connection open that the test would have closed, so the file does not end. No test that comes behind a
 * failed one takes so long.
 */
const SILENT_AFTER_FAILURE_MS = 180_000;

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

const BATCH_MAIN = compiledFile('test/runner/batch-main.ts');

const readLines = (path: string): ReporterLine[] =>
  existsSync(path)
    ? readFileSync(path, 'utf8')
        .split('\n')
        .filter((line) => line !== '')
        .map((line) => JSON.parse(line) as ReporterLine)
    : [];

const isBad = ({ kind }: TestOutcome): boolean => kind === 'fail' || kind === 'cancelled';

const isOutcome = (line: ReporterLine): line is TestOutcome => 'kind' in line;

/** Whether a test has failed, and since then none has ended for so long. */
const isSilent = (path: string, forMs: number): boolean => {
  const since = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  return since !== undefined && Date.now() - since > forMs && readLines(path).filter(isOutcome).some(isBad);
};

/** What is wrong with a file beyond its tests; counted as a failed test of the name. */
const fileFailure = (name: string): TestOutcome => ({ kind: 'fail', suite: false, name });

interface Part {
  readonly outcomes: readonly TestOutcome[];
  /** Undefined if the process ended before the file. */
  readonly end?: FileEnd['sinceStart'];
}

/** The lines of the reporter, by file. */
const partsOf = (lines: readonly ReporterLine[]): Part[] => {
  const parts: Part[] = [];
  let outcomes: TestOutcome[] = [];
  for (const line of lines) {
    if (isOutcome(line)) outcomes.push(line);
    else {
      parts.push({ outcomes, end: line.sinceStart });
      outcomes = [];
    }
  }
  return outcomes.length === 0 ? parts : [...parts, { outcomes }];
};

/**
 * Runs test files one after the other in one process, or one file. If the process ends early, the files that had no turn run again,
 * each in a process to itself.
 */
export const runBatch = async (files: readonly string[], options: FileOptions): Promise<FileRun[]> => {
  const outcomesFile = join(options.scratch, `${files[0]?.replaceAll('/', '_')}.jsonl`);
  const { silentMs = SILENT_AFTER_FAILURE_MS } = options;
  const compiled = files.map(compiledFile);
  const { output, seconds, code, late, left } = await supervise(
    [
      ...reporter('spec-reporter', 'stdout'),
      ...reporter('outcomes-reporter', outcomesFile),
      ...(compiled.length === 1 ? compiled : [BATCH_MAIN, outcomesFile, ...compiled]),
    ],
    {
      ...options,
      tooLong: () =>
        isSilent(outcomesFile, silentMs)
          ? `the file did not end within ${silentMs / 1_000} s after its last test`
          : undefined,
    },
  );
  const lines = readLines(outcomesFile);
  const parts = partsOf(lines);
  const outputs = output.split(FILE_MARK);
  const ended = parts.filter(({ end }) => end !== undefined).length;
  /** The file that the process was at when it ended. */
  const last = Math.min(ended, files.length - 1);
  const ofProcess = [
    ...(late === undefined ? [] : [late]),
    ...(left.length === 0 ? [] : [`the file left processes behind: ${left.join('; ')}`]),
    ...(code !== 0 && !lines.filter(isOutcome).some(isBad) && late === undefined
      ? [`the file ended with ${code ?? 'a signal'}`]
      : []),
  ];
  const runs = files.slice(0, last + 1).map((file, index): FileRun => {
    const { outcomes, end } = parts[index] ?? { outcomes: [] };
    const before = parts[index - 1]?.end ?? { seconds: 0, processorSeconds: 0 };
    const failures = [
      ...(index === last ? ofProcess : []),
      ...(outcomes.length === 0 ? ['the file ran no test'] : []),
    ];
    const text = index === last ? outputs.slice(index).join('') : (outputs[index] ?? '');
    return {
      file,
      output: `${text}${failures.map((it) => `✖ ${it}\n`).join('')}`,
      seconds: (index === last ? seconds : (end?.seconds ?? seconds)) - before.seconds,
      ...(end?.processorSeconds === undefined
        ? {}
        : { processorSeconds: end.processorSeconds - (before.processorSeconds ?? 0) }),
      outcomes: [...outcomes, ...failures.map(fileFailure)],
    };
  });
  for (const file of files.slice(last + 1)) runs.push(...(await runBatch([file], options)));
  return runs;
};
