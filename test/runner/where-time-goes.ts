interface Timed {
  readonly tier: string;
  readonly file: string;
  readonly seconds: number;
  readonly processorSeconds?: number;
}

const SLOWEST = 12;

const cell = (seconds: number): string => `${seconds.toFixed(0).padStart(4)} s`;

const sumOf = (values: readonly number[]): number => values.reduce((sum, each) => sum + each, 0);

const processorOf = (runs: readonly Timed[]): number =>
  sumOf(runs.map(({ processorSeconds }) => processorSeconds ?? 0));

const costOf = (runs: readonly Timed[]): string =>
  `${cell(sumOf(runs.map(({ seconds }) => seconds)))} ${cell(processorOf(runs))}`;

/** The files that take longest: by the clock, then of the processors. */
export const slowestLines = (runs: readonly Timed[]): string =>
  [...runs]
    .sort((a, b) => b.seconds - a.seconds)
    .slice(0, SLOWEST)
    .map((run) => `  ${costOf([run])} ${run.file}\n`)
    .join('');

/**
 * The seconds of each tier: all its files added up, by the clock and of the processors. Files run next to each other, so a run
 * takes less than the sum by the clock.
 */
export const tierLines = (runs: readonly Timed[]): string =>
  [...new Set(runs.map(({ tier }) => tier))]
    .map((tier) => {
      const ofTier = runs.filter((run) => run.tier === tier);
      return `  ${costOf(ofTier)} ${tier}, ${ofTier.length} files\n`;
    })
    .join('');
