import type { Schedule } from '../../schemas/schedule.js';

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1_000],
] as const;

/** In the form that `--every` takes: `1h30m`. */
const formatEvery = (everyMs: number): string => {
  let rest = everyMs;
  return UNITS.map(([unit, ms]) => {
    const count = Math.floor(rest / ms);
    rest -= count * ms;
    return count === 0 ? '' : `${count}${unit}`;
  }).join('');
};

/** The times at which a schedule fires, for people. */
export const when = ({ at, everyMs, cron, timezone }: Schedule): string => {
  if (at !== null) return `at ${at}`;
  return everyMs === null ? `${cron} ${timezone ?? 'UTC'}` : `every ${formatEvery(everyMs)}`;
};
