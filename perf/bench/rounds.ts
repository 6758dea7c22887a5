import { formatNumber } from '../../text/numbers.js';

/** What several rounds of one measurement gave. */
export interface Measured {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** One value a round, in the order of the rounds. */
  readonly values: readonly number[];
}

export interface Contender {
  readonly name: string;
  /** Runs it once; the figure of that run. */
  readonly run: () => Promise<number>;
}

export const measured = (values: readonly number[]): Measured => {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
  return { median, min: sorted[0] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN, values };
};

/**
 * Runs all contenders once a round, one after the other: what else the machine does meets all of them, where all rounds
 * of one before the next would compare hours of the day.
 */
export const inRounds = async (
  contenders: readonly Contender[],
  rounds: number,
  say: (line: string) => void,
  show: (value: number) => string = (value) => formatNumber(value),
): Promise<ReadonlyMap<string, Measured>> => {
  const values = new Map<string, number[]>(contenders.map(({ name }) => [name, []]));
  for (let round = 1; round <= rounds; round++) {
    for (const { name, run } of contenders) {
      const value = await run();
      values.get(name)?.push(value);
      say(`round ${round} of ${rounds}: ${name}: ${show(value)}`);
    }
  }
  return new Map([...values].map(([name, all]) => [name, measured(all)]));
};
