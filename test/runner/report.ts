import type { TestOutcome } from './outcomes-reporter.js';
import type { TierRun } from './run-files.js';
import { closingLines, isGreen, tallyOf } from './tally.js';
import { slowestLines, tierLines } from './where-time-goes.js';

/** Says the reason once more at the end: people read the end of a long output. */
const notPassed = (file: string, { kind, name, why }: TestOutcome): string => {
  const reason = why === undefined ? '' : `${why.replaceAll(/^/gm, '    ')}\n`;
  return `  ${kind}: ${file}: ${name}\n${reason}`;
};

/** What the runner prints at the end, and whether all is green. */
export const report = (
  runs: readonly TierRun[],
  durationMs: number,
  processorSeconds?: number,
): { readonly green: boolean; readonly text: string } => {
  const told = (which: (kind: TestOutcome['kind']) => boolean): readonly string[] =>
    runs.flatMap(({ file, outcomes }) =>
      outcomes.filter(({ kind }) => which(kind)).map((outcome) => notPassed(file, outcome)),
    );
  const bad = told((kind) => kind !== 'pass' && kind !== 'impossible');
  const impossible = told((kind) => kind === 'impossible');
  const tally = tallyOf(runs.flatMap(({ outcomes }) => outcomes));
  const text = [
    `\nslowest files, by the clock and of the processors:\n${slowestLines(runs)}`,
    `\nwhere the time goes, by the clock and of the processors:\n${tierLines(runs)}`,
    processorSeconds === undefined ? '' : `  ${processorSeconds.toFixed(0)} s of processors in all\n`,
    impossible.length === 0 ? '' : `\nNOT RUN, for what this machine lacks:\n${impossible.join('')}`,
    `\n${bad.length === 0 ? '' : `not passed:\n${bad.join('')}\n`}`,
    closingLines(tally, durationMs),
  ].join('');
  return { green: isGreen(tally) && bad.length === 0, text };
};
