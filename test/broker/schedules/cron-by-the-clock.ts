/**
 * A slow judge of cron expressions. It walks over instants one after the other, looks at the clock of the zone, and knows
 * nothing of offsets, changes or calendars. It reads the clock by `Date` and the variable TZ, and the product by `Intl`.
 */

/** What an expression fits, field by field. An empty list of days fits every day. */
export interface Fits {
  readonly minutes: readonly number[];
  /** Empty: every hour. */
  readonly hours: readonly number[];
  readonly dates: readonly number[];
  readonly months: readonly number[];
  readonly weekdays: readonly number[];
}

const field = (values: readonly number[]): string => (values.length === 0 ? '*' : values.join(','));

export const expressionOf = ({ minutes, hours, dates, months, weekdays }: Fits): string =>
  [minutes, hours, dates, months, weekdays].map(field).join(' ');

const has = (values: readonly number[], value: number): boolean =>
  values.length === 0 || values.includes(value);

/** What a clock shows. */
interface Shown {
  readonly minute: number;
  readonly hour: number;
  readonly date: number;
  readonly month: number;
  readonly weekday: number;
}

const fits = ({ minutes, hours, dates, months, weekdays }: Fits, shown: Shown): boolean => {
  if (!has(minutes, shown.minute) || !has(hours, shown.hour) || !has(months, shown.month)) return false;
  if (dates.length === 0 && weekdays.length === 0) return true;
  return dates.includes(shown.date) || weekdays.includes(shown.weekday);
};

const MINUTE_MS = 60_000;

const readUtc = (ms: number): Shown => {
  const at = new Date(ms);
  const [minute, hour, date] = [at.getUTCMinutes(), at.getUTCHours(), at.getUTCDate()];
  return { minute, hour, date, month: at.getUTCMonth() + 1, weekday: at.getUTCDay() };
};

/** What the clock of TZ shows, as if it were UTC. */
const shownAt = (ms: number): number => {
  const at = new Date(ms);
  return Date.UTC(at.getFullYear(), at.getMonth(), at.getDate(), at.getHours(), at.getMinutes());
};

export interface Walk {
  readonly zone: string;
  /** Whole minutes since 1970, as milliseconds: firings behind the first up to the last one are wanted. */
  readonly fromMs: number;
  readonly toMs: number;
  readonly stepMinutes: number;
}

/** No clock is set back by more: what it has shown before the walk must be known. */
const BEFORE_MS = 26 * 3_600_000;

/** When each expression fires, by a walk. Changes the variable TZ of this process. */
export const firingsByTheClock = (
  { zone, fromMs, toMs, stepMinutes }: Walk,
  expressions: readonly Fits[],
): readonly (readonly number[])[] => {
  process.env.TZ = zone;
  const step = stepMinutes * MINUTE_MS;
  const fired: number[][] = expressions.map(() => []);
  const isHourly = expressions.map(({ hours }) => hours.length === 0);
  let latest = Number.NEGATIVE_INFINITY;
  for (let ms = fromMs - BEFORE_MS; ms <= toMs; ms += step) {
    const shown = shownAt(ms);
    const from = latest === Number.NEGATIVE_INFINITY ? shown : latest + step;
    for (let each = ms > fromMs ? Math.min(from, shown) : shown + 1; each <= shown; each += step) {
      const wall = readUtc(each);
      for (const [i, expression] of expressions.entries()) {
        // What the clock leaps over counts as shown now; what it shows again does not count.
        const counts = isHourly[i] === true ? each === shown : each >= from;
        const list = fired[i] as number[];
        if (counts && list.at(-1) !== ms && fits(expression, wall)) list.push(ms);
      }
    }
    latest = Math.max(latest, shown);
  }
  return fired;
};

/** Days (UTC) in which the clock of a zone changes. */
export const changingDays = (zone: string, fromYear: number, toYear: number): readonly number[] => {
  process.env.TZ = zone;
  const days: number[] = [];
  const offset = (ms: number): number => shownAt(ms) - ms;
  for (let ms = Date.UTC(fromYear); ms < Date.UTC(toYear); ms += 86_400_000)
    if (offset(ms) !== offset(ms + 86_400_000)) days.push(ms);
  return days;
};
