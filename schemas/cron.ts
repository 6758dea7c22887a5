import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { type Fault, fault } from './errors.js';
import { stretchesOf } from './zone-stretches.js';

/** A cron expression of six fields. The first one is the seconds. */
export interface Cron {
  /** The six fields. */
  readonly expression: string;
  readonly fields: readonly Field[];
}

interface Field {
  readonly values: ReadonlySet<number>;
  /** The field matches every day: the other field of days decides alone. */
  readonly any: boolean;
}

interface FieldRange {
  readonly what: string;
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const FIELD_RANGES: readonly FieldRange[] = [
  { what: 'second', min: 0, max: 59 },
  { what: 'minute', min: 0, max: 59 },
  { what: 'hour', min: 0, max: 23 },
  { what: 'day of the month', min: 1, max: 31 },
  { what: 'month', min: 1, max: 12, names: MONTHS },
  { what: 'day of the week', min: 0, max: 6, names: DAYS },
];

/** A map, not an object: `constructor` is a name in every object. */
const NAMED: ReadonlyMap<string, string> = new Map([
  ['@yearly', '0 0 0 1 1 *'],
  ['@annually', '0 0 0 1 1 *'],
  ['@monthly', '0 0 0 1 * *'],
  ['@weekly', '0 0 0 * * 0'],
  ['@daily', '0 0 0 * * *'],
  ['@midnight', '0 0 0 * * *'],
  ['@hourly', '0 0 * * * *'],
]);

const RANGE = /^(?:[*?]|([a-z0-9]+)(?:-([a-z0-9]+))?)(?:\/(\d+))?$/i;

const numberOf = (text: string, { min, names }: FieldRange): number => {
  const named = names?.indexOf(text.toLowerCase()) ?? -1;
  return named >= 0 ? named + min : /^\d+$/.test(text) ? Number(text) : Number.NaN;
};

/** The values of `5`, `1-5`, `*`, every 15th, `10/5` (from 10 on) or `mon-fri`; undefined for other text. */
const parseRange = (text: string, among: FieldRange): Field | undefined => {
  const match = RANGE.exec(text);
  if (match === null) return undefined;
  const [, low, high, by] = match;
  const step = by === undefined ? 1 : Number(by);
  const start = low === undefined ? among.min : numberOf(low, among);
  const onwards = low === undefined || (high === undefined && by !== undefined);
  const end = onwards ? among.max : numberOf(high ?? (low as string), among);
  if (!(start >= among.min && end <= among.max && start <= end && step > 0)) return undefined;
  const values = new Set<number>();
  for (let value = start; value <= end; value += step) values.add(value);
  return { values, any: low === undefined && step === 1 };
};

/** Examples for a user whose expression is refused. */
const EXAMPLE =
  'for example "0 9 * * mon-fri" (09:00 on working days), "*/30 * * * * *" (each 30 s) or @daily';

const parseField = (text: string, among: FieldRange): Either<Fault, Field> => {
  const ranges = text.split(',').map((part) => parseRange(part, among));
  if (ranges.includes(undefined)) {
    const { what, min, max } = among;
    return left(
      fault(
        'SCHEDULE_INVALID',
        `${JSON.stringify(text)} is not a ${what} of a cron expression: ${min} to ${max}; ${EXAMPLE}`,
      ),
    );
  }
  const fields = ranges as readonly Field[];
  return right({
    values: new Set(fields.flatMap(({ values }) => [...values])),
    any: fields.some(({ any }) => any),
  });
};

/** The longest expression in characters: each item of a list costs up to 60 values. */
const MAX_EXPRESSION = 256;

/**
 * Parses six fields, five (then the seconds are 0), or a name such as `@daily`. SCHEDULE_INVALID names the wrong
 * part.
 */
export const parseCron = (text: string): Either<Fault, Cron> => {
  if (text.length > MAX_EXPRESSION) {
    const problem = `the cron expression has ${text.length} characters, above ${MAX_EXPRESSION}; ${EXAMPLE}`;
    return left(fault('SCHEDULE_INVALID', problem));
  }
  const named = NAMED.get(text.trim());
  const given = (named ?? text.trim()).split(/\s+/);
  const parts = given.length === 5 ? ['0', ...given] : given;
  if (parts.length !== FIELD_RANGES.length) {
    return left(
      fault(
        'SCHEDULE_INVALID',
        `${JSON.stringify(text)} is not a cron expression: give [second] minute hour day month weekday; ${EXAMPLE}`,
      ),
    );
  }
  const fields: Field[] = [];
  for (const [i, range] of FIELD_RANGES.entries()) {
    const field = parseField(parts[i] as string, range);
    if (isLeft(field)) return field;
    fields.push(field.right);
  }
  return right({ expression: parts.join(' '), fields });
};

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** 29 February occurs within this time, also around a year such as 2100. */
const FARTHEST_MS = 9 * 366 * DAY_MS;
/** The most by which a clock is set back. */
const MOST_REPEATED_MS = 26 * HOUR_MS;
/** The most by which a clock differs from UTC. */
const MOST_OFFSET_MS = 26 * HOUR_MS;

const sorted = ({ values }: Field): readonly number[] => [...values].sort((a, b) => a - b);

/**
 * Finds the first matching time between two times; the second one is excluded. The times are those of a clock without
 * a zone, in milliseconds as `Date.UTC` counts them.
 */
const matcher = ({ fields }: Cron): ((from: number, to: number) => number | undefined) => {
  const [second, minute, hour, date, month, weekday] = fields as [Field, Field, Field, Field, Field, Field];
  const [hours, minutes, seconds] = [sorted(hour), sorted(minute), sorted(second)];
  const isDay = (day: Date): boolean => {
    const byDate = date.values.has(day.getUTCDate());
    const byWeekday = weekday.values.has(day.getUTCDay());
    const fits = date.any || weekday.any ? byDate && byWeekday : byDate || byWeekday;
    return fits && month.values.has(day.getUTCMonth() + 1);
  };
  const inHour = (start: number, from: number): number | undefined => {
    for (const m of minutes) {
      if (start + (m + 1) * MINUTE_MS <= from) continue;
      const s = seconds.find((each) => start + m * MINUTE_MS + each * SECOND_MS >= from);
      if (s !== undefined) return start + m * MINUTE_MS + s * SECOND_MS;
    }
    return undefined;
  };
  return (from, to) => {
    for (let day = Math.floor(from / DAY_MS) * DAY_MS; day < to; day += DAY_MS) {
      if (!isDay(new Date(day))) continue;
      for (const h of hours) {
        const at = day + (h + 1) * HOUR_MS <= from ? undefined : inHour(day + h * HOUR_MS, from);
        if (at !== undefined) return at < to ? at : undefined;
      }
    }
    return undefined;
  };
};

/**
 * The next firing after a time, in milliseconds since 1970; undefined if there is none within nine years.
 *
 * An expression that matches every hour follows the passing time. If the clock shows an hour twice, it fires both
 * times. It does not make up for an hour that the clock skips. Any other expression follows the clock. It fires at
 * the first instant after a skipped time, and at the first occurrence of a time that the clock shows twice. See
 * docs/decisions/0053.
 */
export const nextCron = (cron: Cron, afterMs: number, zone = 'UTC'): number | undefined => {
  const find = matcher(cron);
  const isHourly = (cron.fields[2] as Field).values.size === 24;
  const soonMs = Math.floor(afterMs / SECOND_MS) * SECOND_MS + SECOND_MS;
  const lastMs = soonMs + FARTHEST_MS;
  // A time that no clock shows occurs in no zone. Looking at a zone's clock costs 1 ms a year, so it starts at the
  // first candidate.
  const shownMs = find(soonMs - MOST_OFFSET_MS, lastMs + MOST_OFFSET_MS);
  if (shownMs === undefined) return undefined;
  const firstMs = Math.max(soonMs, shownMs - MOST_OFFSET_MS);
  /** The time on the clock at the end of the stretch before. */
  let shown: number | undefined;
  for (const { fromMs, toMs, offsetMs } of stretchesOf(zone, firstMs - MOST_REPEATED_MS, lastMs)) {
    const start = Math.max(fromMs, firstMs);
    const end = Math.min(toMs, lastMs) + offsetMs;
    const isLeap = !isHourly && shown !== undefined && fromMs >= firstMs;
    if (isLeap && find(shown as number, fromMs + offsetMs) !== undefined) return fromMs;
    const from = isHourly ? start + offsetMs : Math.max(start + offsetMs, shown ?? start + offsetMs);
    const at = toMs > firstMs ? find(from, end) : undefined;
    if (at !== undefined) return at - offsetMs;
    shown = Math.max(shown ?? end, end);
  }
  return undefined;
};

/** The name as given, if this machine knows the time zone; otherwise SCHEDULE_INVALID. */
export const parseTimeZone = (zone: string): Either<Fault, string> => {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: zone });
    return right(zone);
  } catch {
    return left(
      fault('SCHEDULE_INVALID', `${JSON.stringify(zone)} is not a time zone; for example Europe/Berlin`),
    );
  }
};
