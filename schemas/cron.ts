import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { type Fault, fault } from './errors.js';

/**
 * Cron expressions as nats-server reads them (its cron.go): six fields, the first of them seconds. The server fires; this
 * says what is wrong with an expression in words, and when it fires next, which the server tells of no schedule that has
 * not fired yet.
 */
export interface Cron {
  /** Six fields, as the server takes them. */
  readonly expression: string;
  readonly fields: readonly Field[];
}

interface Field {
  readonly values: ReadonlySet<number>;
  /** Says nothing of the days: the other field of days decides alone. */
  readonly any: boolean;
}

interface Bounds {
  readonly what: string;
  readonly min: number;
  readonly max: number;
  readonly names?: readonly string[];
}

const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const BOUNDS: readonly Bounds[] = [
  { what: 'second', min: 0, max: 59 },
  { what: 'minute', min: 0, max: 59 },
  { what: 'hour', min: 0, max: 23 },
  { what: 'day of the month', min: 1, max: 31 },
  { what: 'month', min: 1, max: 12, names: MONTHS },
  { what: 'day of the week', min: 0, max: 6, names: DAYS },
];

/** A map and no object: `constructor` is a name in every object. */
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

const numberOf = (text: string, { min, names }: Bounds): number => {
  const named = names?.indexOf(text.toLowerCase()) ?? -1;
  return named >= 0 ? named + min : /^\d+$/.test(text) ? Number(text) : Number.NaN;
};

/** The values of `5`, `1-5`, `*`, every 15th, `10/5` (from 10 on) or `mon-fri`; undefined when it is none of them. */
const parseRange = (text: string, bounds: Bounds): Field | undefined => {
  const match = RANGE.exec(text);
  if (match === null) return undefined;
  const [, low, high, by] = match;
  const step = by === undefined ? 1 : Number(by);
  const start = low === undefined ? bounds.min : numberOf(low, bounds);
  const onwards = low === undefined || (high === undefined && by !== undefined);
  const end = onwards ? bounds.max : numberOf(high ?? (low as string), bounds);
  if (!(start >= bounds.min && end <= bounds.max && start <= end && step > 0)) return undefined;
  const values = new Set<number>();
  for (let value = start; value <= end; value += step) values.add(value);
  return { values, any: low === undefined && step === 1 };
};

/** What fits, for who has written what does not. */
const EXAMPLE =
  'for example "0 9 * * mon-fri" (09:00 on working days), "*/30 * * * * *" (each 30 s) or @daily';

const parseField = (text: string, bounds: Bounds): Either<Fault, Field> => {
  const ranges = text.split(',').map((range) => parseRange(range, bounds));
  if (ranges.includes(undefined)) {
    const { what, min, max } = bounds;
    return left(
      fault(
        'SCHEDULE_INVALID',
        `${JSON.stringify(text)} is no ${what} of a cron expression: ${min} to ${max}; ${EXAMPLE}`,
      ),
    );
  }
  const fields = ranges as readonly Field[];
  return right({
    values: new Set(fields.flatMap(({ values }) => [...values])),
    any: fields.some(({ any }) => any),
  });
};

/** Characters of an expression, at most: each item of a list costs up to 60 values. */
const MAX_EXPRESSION = 256;

/** Parses six fields, five (then seconds are 0), or a name such as `@daily`; SCHEDULE_INVALID says what is wrong. */
export const parseCron = (text: string): Either<Fault, Cron> => {
  if (text.length > MAX_EXPRESSION) {
    const said = `a cron expression has ${text.length} characters, above ${MAX_EXPRESSION}; ${EXAMPLE}`;
    return left(fault('SCHEDULE_INVALID', said));
  }
  const named = NAMED.get(text.trim());
  const given = (named ?? text.trim()).split(/\s+/);
  const parts = given.length === 5 ? ['0', ...given] : given;
  if (parts.length !== BOUNDS.length) {
    return left(
      fault(
        'SCHEDULE_INVALID',
        `${JSON.stringify(text)} is no cron expression: minute hour day month weekday, with seconds before them or not; ${EXAMPLE}`,
      ),
    );
  }
  const fields: Field[] = [];
  for (const [i, bounds] of BOUNDS.entries()) {
    const field = parseField(parts[i] as string, bounds);
    if (isLeft(field)) return field;
    fields.push(field.right);
  }
  return right({ expression: parts.join(' '), fields });
};

/** A wall clock, as milliseconds of a day that has no time zone. */
const wallClock = (zone: string): ((ms: number) => number) => {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (ms) => {
    const part: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(ms)) part[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0 } = part;
    return Date.UTC(year, month - 1, day, hour, minute, second);
  };
};

const DAY_MS = 86_400_000;
/** As far as the server looks. */
const MAX_DAYS = 5 * 366;

/** When it fires next after that time, milliseconds since 1970; undefined when it does not within five years. */
export const nextCron = ({ fields }: Cron, afterMs: number, zone = 'UTC'): number | undefined => {
  const [second, minute, hour, date, month, weekday] = fields as [Field, Field, Field, Field, Field, Field];
  const wall = wallClock(zone);
  /** The instant behind that time at which the clock shows this; it may be none, or another one where clocks are put. */
  const toInstant = (at: number): number | undefined =>
    [at - (wall(at) - at), at - (wall(at - DAY_MS) - (at - DAY_MS))].find(
      (guess) => guess > afterMs && wall(guess) === at,
    );
  const matches = (day: Date): boolean => {
    const byDate = date.values.has(day.getUTCDate());
    const byWeekday = weekday.values.has(day.getUTCDay());
    const isDay = date.any || weekday.any ? byDate && byWeekday : byDate || byWeekday;
    return isDay && month.values.has(day.getUTCMonth() + 1);
  };
  const sorted = ({ values }: Field): readonly number[] => [...values].sort((a, b) => a - b);
  const [hours, minutes, seconds] = [sorted(hour), sorted(minute), sorted(second)];
  const firstWall = wall(afterMs);
  const firstDay = Math.floor(firstWall / DAY_MS) * DAY_MS;
  for (let day = 0; day < MAX_DAYS; day++) {
    const start = firstDay + day * DAY_MS;
    if (!matches(new Date(start))) continue;
    for (const h of hours) {
      // An hour that is past: its minutes and seconds need not be gone through.
      if (start + (h + 1) * 3_600_000 <= firstWall) continue;
      for (const m of minutes) {
        for (const s of seconds) {
          const at = start + ((h * 60 + m) * 60 + s) * 1_000;
          const instant = at > firstWall ? toInstant(at) : undefined;
          if (instant !== undefined) return instant;
        }
      }
    }
  }
  return undefined;
};

/** The name as it was given, where this machine knows the time zone; SCHEDULE_INVALID else. */
export const parseTimeZone = (zone: string): Either<Fault, string> => {
  try {
    new Intl.DateTimeFormat('en-US', { timeZone: zone });
    return right(zone);
  } catch {
    return left(
      fault('SCHEDULE_INVALID', `${JSON.stringify(zone)} is no time zone; for example Europe/Berlin`),
    );
  }
};
