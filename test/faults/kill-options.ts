import { IN_FULL, byForm } from '../support/form.js';

/** What `npm run test:kills` hands to the test; without it, few kills and a new seed each time. */
export const KILL_VARIABLES = {
  times: 'KILLS_TIMES',
  seed: 'KILLS_SEED',
  durability: 'KILLS_DURABILITY',
  points: 'KILLS_POINTS',
  together: 'KILLS_TOGETHER',
} as const;

const number = (variable: string): number | undefined => {
  const text = process.env[variable];
  return text === undefined ? undefined : Number(text);
};

/** Kills at each point, and cut connections as many. */
export const TIMES = number(KILL_VARIABLES.times);
/** Rounds in which several processes fail at once; one may take minutes, since what crashes again and again is started later and later. */
export const TOGETHER = number(KILL_VARIABLES.together) ?? TIMES ?? (IN_FULL ? 1 : 0);
export const SEED = number(KILL_VARIABLES.seed) ?? Math.floor(Math.random() * 2 ** 32);
export const DURABILITY = process.env[KILL_VARIABLES.durability] ?? 'fsync';
/** What the names of the points begin with. */
export const POINTS = process.env[KILL_VARIABLES.points] ?? '';
/** Where no number of kills is given, so many points are drawn by lot: all of them take too long for every run. */
export const MODULE_POINTS = byForm({ short: 1, deep: 4, full: 4 });
/** Each of these costs a start of the broker. */
export const BROKER_POINTS = byForm({ short: 1, deep: 2, full: 2 });
/** Calls in flight at each kill of the tests that kill from outside. */
export const CALLS = number('KILLS_CALLS') ?? byForm({ short: 150, deep: 1_000, full: 10_000 });
