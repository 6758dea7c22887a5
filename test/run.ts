/**
 * Runs the tests: `node dist/test/run.js [TIER or test/FOLDER/FILE.test.ts]…`, all tiers without arguments. Exits 1
 * when a test failed, was skipped or is a todo, and when none ran. `--failures` prints the output of failed files only.
 * `--changed FILE`, once or more, runs only the tests that a change of these files can reach. `--deep` runs only the tests
 * that have a deep form, in that form, and the files that are too long for a run without it. `--json FILE` writes the outcome
 * and the time of every test file. `--quick` leaves out the unit tests that are not pure.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildTools } from '../perf/tools/build-tools.js';
import { testEnvironment, unitEnvironment } from './runner/environment.js';
import { affectedBy } from './runner/import-graph.js';
import { isInRun } from './runner/deep-files.js';
import { NOT_IN_CHECK } from './runner/not-in-check.js';
import { processorSeconds } from './runner/processor-seconds.js';
import { report } from './runner/report.js';
import { runFiles } from './runner/run-files.js';
import { writeRecord } from './runner/run-record.js';
import { select } from './runner/selection.js';
import { isGreen, tallyOf } from './runner/tally.js';
import { testFiles } from './runner/test-files.js';
import { tempDir } from './support/temp-dir.js';

const print = (text: string): void => {
  process.stdout.write(text);
};

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    failures: { type: 'boolean' },
    changed: { type: 'string', multiple: true },
    deep: { type: 'boolean' },
    json: { type: 'string' },
    quick: { type: 'boolean' },
  },
});

/** In the deep form a file may take so many times as long as in the short form. */
const DEEP_FACTOR = 3;

const main = async (args: readonly string[]): Promise<boolean> => {
  const selected = select(args, testFiles());
  const asked = {
    deep: options.deep === true,
    isLong: (process.env.TEST_FORM ?? 'short') !== 'short',
    named: args,
  };
  const files = selected
    .flatMap(({ tier, files }) => files.map((file) => ({ tier, file })))
    .filter(({ file }) => options.changed === undefined || affectedBy(options.changed, [file]).length > 0)
    .filter(({ file }) => isInRun(file, asked))
    .filter(({ file }) => options.quick !== true || !NOT_IN_CHECK.includes(file));
  if (options.deep === true) process.env.TEST_FORM = 'deep';
  const startedAt = performance.now();
  await using scratch = tempDir();
  const configHome = join(scratch.path, 'config');
  mkdirSync(configHome);
  const unit = unitEnvironment(scratch.path, configHome);
  // Unit tests run on a machine without Go.
  const needsTools = files.some(({ tier }) => tier !== 'unit');
  const real = needsTools
    ? testEnvironment(await buildTools((line) => print(`${line}\n`)), configHome)
    : unit;

  let ended = 0;
  const runs = await runFiles(files, {
    env: { unit, broker: real, cli: real, faults: real },
    scratch: scratch.path,
    timeoutFactor: options.deep === true ? DEEP_FACTOR : 1,
    onEnd: ({ tier, file, output, outcomes, seconds }) => {
      ended += 1;
      const line = `[${ended}/${files.length}] ${tier}: ${file}`;
      const isQuiet = options.failures === true && isGreen(tallyOf(outcomes));
      print(isQuiet ? `${line} (${seconds.toFixed(1)} s)\n` : `\n${line}\n${output}`);
    },
  });
  const durationMs = performance.now() - startedAt;
  const spent = processorSeconds();
  const { green, text } = report(runs, durationMs, spent);
  if (options.json !== undefined) {
    const files = runs.map(({ output: _, ...run }) => run);
    const cost = spent === undefined ? {} : { processorSeconds: spent };
    writeRecord(options.json, { green, durationMs, ...cost, files });
  }
  const left = selected.flatMap((tier) => tier.files).filter((file) => !isInRun(file, asked));
  const later = asked.deep || left.length === 0 ? '' : `${left.length} more files run in npm run test:deep\n`;
  print(`${text}${later}`);
  return green;
};

try {
  process.exitCode = (await main(positionals)) ? 0 : 1;
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
