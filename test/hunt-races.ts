/** The program of `npm run test:races`. {@link HELP} tells what it does. */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { busyLoops } from './runner/busy-loops.js';
import { failureCounts } from './runner/failure-counts.js';
import { readRecord, type RunRecord } from './runner/run-record.js';
import { PROJECT_ROOT } from './support/project-root.js';
import { tempDir } from './support/temp-dir.js';

const HELP = `Usage: npm run test:races -- [options] [TIER or test/FOLDER/FILE.test.ts]...

Run tests again and again on a busy machine. Print each test that failed, and how often.
Without a tier or a file, each run has all tests.

Options:
  --runs N     number of runs (default: 5)
  --busy N     programs that keep the processors busy during the runs (default: 4)
  --json FILE  write the counts and the time of each run to this file
  --help       print this text

The exit code is 1 if a test failed in any run.

Examples:
  npm run test:races -- unit
  npm run test:races -- --runs 20 --busy 4 --json races.json broker
  npm run test:races -- --runs 50 test/link/reload-gap.test.ts
`;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const print = (text: string): void => {
  process.stdout.write(text);
};

const countOf = (option: string, text: string): number => {
  if (!/^\d{1,4}$/.test(text)) throw new Error(`--${option} is ${JSON.stringify(text)}: give a whole number`);
  return Number(text);
};

/** One run of the tests; its record, or its output if it did not come to an end. */
const runOnce = async (tests: readonly string[], record: string): Promise<RunRecord> => {
  const runner = join(PROJECT_ROOT, 'dist', 'test', 'run.js');
  const args = ['--enable-source-maps', runner, '--failures', '--json', record, ...tests];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  // The tests end with this program. The busy loops see for themselves that it has ended.
  const end = (signal: NodeJS.Signals): void => {
    child.kill(signal);
    process.exit(130);
  };
  for (const signal of SIGNALS) process.on(signal, end);
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  await new Promise<void>((resolve) => child.once('close', () => resolve()));
  for (const signal of SIGNALS) process.off(signal, end);
  try {
    return readRecord(record);
  } catch {
    throw new Error(`the tests did not run:\n${Buffer.concat(chunks).toString('utf8')}`);
  }
};

const main = async (): Promise<void> => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      runs: { type: 'string', default: '5' },
      busy: { type: 'string', default: '4' },
      json: { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help === true) return print(HELP);
  const [runs, busy] = [countOf('runs', values.runs), countOf('busy', values.busy)];
  await using scratch = tempDir();
  await using _ = busyLoops(busy);
  const records: RunRecord[] = [];
  for (let run = 1; run <= runs; run++) {
    const record = await runOnce(positionals, join(scratch.path, `${run}.json`));
    records.push(record);
    const failed = failureCounts([record]);
    print(
      `run ${run} of ${runs}: ${failed.length} tests failed (${(record.durationMs / 1_000).toFixed(0)} s)\n`,
    );
    // A long hunt may be ended before its last run.
    for (const { file, test } of failed) print(`  ${file}: ${test}\n`);
  }
  const counts = failureCounts(records);
  print(`\n${counts.length} tests failed in at least one of ${runs} runs next to ${busy} busy programs\n`);
  for (const { file, test, failed, reasons } of counts) {
    print(`  ${failed} of ${runs}: ${file}: ${test}\n${reasons.join('\n').replaceAll(/^/gm, '    ')}\n`);
  }
  const times = records.map(({ green, durationMs, processorSeconds }) => ({
    green,
    durationMs,
    processorSeconds,
  }));
  if (values.json !== undefined) {
    writeFileSync(values.json, `${JSON.stringify({ busy, runs: times, failures: counts }, undefined, 2)}\n`);
  }
  process.exitCode = records.every(({ green }) => green) ? 0 : 1;
};

try {
  await main();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
