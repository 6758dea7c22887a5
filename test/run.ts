/**
 * Runs the tests: `node dist/test/run.js [TIER or test/FOLDER/FILE.test.ts]…`, all tiers without arguments. Exits 1
 * when a test failed, was skipped or is a todo, and when none ran.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { testEnvironment } from './runner/environment.js';
import type { TestOutcome } from './runner/outcomes-reporter.js';
import { signalGroup } from './runner/process-group.js';
import { type FileRun, runFile } from './runner/run-file.js';
import { select } from './runner/selection.js';
import { closingLines, isGreen, slowestLines, tallyOf } from './runner/tally.js';
import { testFiles } from './runner/test-files.js';
import { AT_A_TIME, TIERS } from './runner/tiers.js';
import { tempDir } from './support/temp-dir.js';
import { buildTools } from '../perf/tools/build-tools.js';

const print = (text: string): void => {
  process.stdout.write(text);
};

/** Test files lead process groups of their own, which Ctrl-C in a terminal does not reach. */
const endWithThisProcess = (groups: ReadonlySet<number>): void => {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      for (const group of groups) signalGroup(group, 'SIGKILL');
      process.exit(130);
    });
  }
};

const inParallel = async <T>(items: readonly T[], width: number, work: (item: T) => Promise<void>) => {
  const queue = [...items];
  const worker = async (): Promise<void> => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: width }, worker));
};

/** Says why once more, at the end: of a long output the end is what is read, and kept. */
const notPassed = (file: string, { kind, name, why }: TestOutcome): string => {
  const reason = why === undefined ? '' : `${why.replaceAll(/^/gm, '    ')}\n`;
  return `  ${kind}: ${file}: ${name}\n${reason}`;
};

const main = async (args: readonly string[]): Promise<boolean> => {
  const selection = select(args, testFiles());
  const startedAt = performance.now();
  const tools = await buildTools((line) => print(`${line}\n`));
  await using scratch = tempDir();
  const configHome = join(scratch.path, 'config');
  mkdirSync(configHome);
  const env = testEnvironment(tools, configHome);
  const groups = new Set<number>();
  endWithThisProcess(groups);

  const runs: FileRun[] = [];
  // One tier begins while the last files of the one before it end.
  const queue = selection.flatMap(({ tier, files }) => files.map((file) => ({ tier, file })));
  await inParallel(queue, AT_A_TIME, async ({ tier, file }) => {
    const { fileTimeoutMs: timeoutMs } = TIERS[tier];
    const run = await runFile(file, { env, timeoutMs, scratch: scratch.path, groups });
    runs.push(run);
    print(`\n${tier}: ${file}\n${run.output}`);
  });

  const tally = tallyOf(runs.flatMap(({ outcomes }) => outcomes));
  const told = (which: (kind: TestOutcome['kind']) => boolean): readonly string[] =>
    runs.flatMap(({ file, outcomes }) =>
      outcomes.filter(({ kind }) => which(kind)).map((outcome) => notPassed(file, outcome)),
    );
  const bad = told((kind) => kind !== 'pass' && kind !== 'impossible');
  const impossible = told((kind) => kind === 'impossible');
  print(`\nslowest files:\n${slowestLines(runs)}`);
  if (impossible.length > 0) print(`\nNOT RUN, for what this machine lacks:\n${impossible.join('')}`);
  print(`\n${bad.length === 0 ? '' : `not passed:\n${bad.join('')}\n`}`);
  print(closingLines(tally, performance.now() - startedAt));
  return isGreen(tally) && bad.length === 0;
};

try {
  process.exitCode = (await main(process.argv.slice(2))) ? 0 : 1;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
