/** Random runs of the journal's model, as many as one likes: `npm run test:journal -- --runs N [--seed S --path P]`. */
import { parseArgs } from 'node:util';
import fc from 'fast-check';
import type { Durability } from '../../../schemas/log.js';
import { buildTools } from '../../../perf/tools/build-tools.js';
import { operations } from './operations.js';
import { Run } from './run.js';
import { World } from './world.js';

const HELP = `Usage: npm run test:journal -- [options]

Appends, sends commands, kills and stops the server and a module, loads, unloads and removes another module, reloads
good and broken code, changes the calls of a handler between two runs, restarts the broker, cuts connections, fills the
log and replaces producers, at random, and checks after each run that the log and what everybody was told agree (I1 to
I5, I8, I11).

Options:
  --runs N             random runs of each durability level (default 1000)
  --durability LEVEL   fsync or os; without it, both
  --seed N --path P    repeat what a failure printed
  --verbose            print each run, and what the module says
  --help               this

Exit codes: 0 every run holds; 1 one does not, and its seed is printed; 2 wrong usage.

Examples:
  npm run test:journal -- --runs 20000
  npm run test:journal -- --durability os --seed 42 --path 17
`;

const LEVELS = ['fsync', 'os'] as const;

const wholeNumber = (flag: string, text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value)) throw new TypeError(`--${flag} needs a whole number, not ${text}`);
  return value;
};

const readArgs = () => {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '1000' },
      durability: { type: 'string' },
      seed: { type: 'string' },
      path: { type: 'string' },
      verbose: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const { durability } = values;
  if (durability !== undefined && !LEVELS.some((level) => level === durability)) {
    throw new TypeError(`--durability is fsync or os, not ${durability}`);
  }
  return {
    ...values,
    numRuns: wholeNumber('runs', values.runs),
    levels: durability === undefined ? LEVELS : [durability as Durability],
    repeat: {
      ...(values.seed === undefined ? {} : { seed: wholeNumber('seed', values.seed) }),
      ...(values.path === undefined ? {} : { path: values.path }),
    },
  };
};

const say = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

const { levels, numRuns, repeat, verbose, help } = (() => {
  try {
    return readArgs();
  } catch (error) {
    say(`test:journal: ${(error as Error).message}\n\n${HELP}`);
    return process.exit(2);
  }
})();
if (help) {
  process.stdout.write(HELP);
  process.exit(0);
}
process.env.NATS_SERVER = (await buildTools((line) => process.stdout.write(`${line}\n`))).natsServer;
for (const durability of levels) {
  await using world = await World.open(durability, verbose ? say : undefined);
  const startedAt = performance.now();
  let runs = 0;
  let printedAt = 0;
  const result = await fc.check(
    fc.asyncProperty(operations, async (each) => {
      const from = performance.now();
      await new Run(world).perform(each);
      runs += 1;
      const now = performance.now();
      if (verbose) say(`${Math.round(now - from)} ms: ${JSON.stringify(each)}`);
      if (now - printedAt < 5_000 && runs < numRuns) return;
      printedAt = now;
      const perSecond = runs / ((now - startedAt) / 1_000);
      const left = Math.round((numRuns - runs) / perSecond);
      say(`${durability}: ${runs} of ${numRuns} runs hold, ${perSecond.toFixed(1)} a second, ${left} s left`);
    }),
    { numRuns, endOnFailure: true, ...repeat },
  );
  if (result.failed) {
    say(String(result.errorInstance));
    say(`after: ${JSON.stringify(result.counterexample)}`);
    say(
      `repeat it by: npm run test:journal -- --durability ${durability} --runs ${numRuns} --seed=${result.seed}`,
    );
    say(`or that run alone by adding: --path ${result.counterexamplePath}`);
    process.exitCode = 1;
    break;
  }
}
