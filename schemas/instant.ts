/** A date and time with its offset, RFC 3339 §5.6. It allows a blank in place of the T. */
const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(\.\d+)?(?:[Zz]|([+-])(\d\d):(\d\d))$/;

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** RFC 3339 writes a year with four digits, so there is no earlier and no later instant. */
const FIRST_MS = Date.parse('0000-01-01T00:00:00.000Z');
export const LAST_MS = Date.parse('9999-12-31T23:59:59.999Z');

/** Midnight UTC of a day; undefined if the calendar has no such day. */
const dayStart = (year: number, month: number, day: number): number | undefined => {
  const date = new Date(0);
  // Not Date.UTC: it takes the years 0 to 99 for 1900 to 1999.
  date.setUTCFullYear(year, month - 1, day);
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? date.getTime() : undefined;
};

/**
 * Reads an RFC 3339 time: milliseconds since 1970; undefined for other text. `Date.parse` reads 30 February as 2
 * March, and `24:00` as the next day. This function refuses both, and also a leap second, which no clock here shows.
 */
export const parseInstant = (text: string): number | undefined => {
  const match = RFC_3339.exec(text);
  if (match === null) return undefined;
  const part = (i: number): number => Number(match[i] ?? 0);
  const [hour, minute, second] = [part(4), part(5), part(6)];
  const [offsetHour, offsetMinute] = [part(9), part(10)];
  const start = dayStart(part(1), part(2), part(3));
  if (start === undefined || hour > 23 || minute > 59 || second > 59) return undefined;
  if (offsetHour > 23 || offsetMinute > 59) return undefined;
  const fraction = Number((match[7] ?? '').slice(1, 4).padEnd(3, '0'));
  const offset = (offsetHour * HOUR_MS + offsetMinute * MINUTE_MS) * (match[8] === '-' ? -1 : 1);
  const at = start + hour * HOUR_MS + minute * MINUTE_MS + second * 1_000 + fraction - offset;
  return at >= FIRST_MS && at <= LAST_MS ? at : undefined;
};

/** The milliseconds since 1970 of a time in a certificate, `Nov 30 05:14:00 2026 GMT`; NaN for other text. */
export const certificateTime = (text: string): number => Date.parse(text);

let knownSecond = Number.NaN;
let knownText = '';

/**
 * The time of a record, as `toISOString` writes it; whole milliseconds since 1970. Records that follow one another have
 * mostly the same second, and to write that takes most of the time.
 */
export const formatInstant = (ms: number): string => {
  const second = Math.floor(ms / 1_000);
  if (second !== knownSecond) {
    knownText = new Date(second * 1_000).toISOString().slice(0, -4);
    knownSecond = second;
  }
  return `${knownText}${String(ms - second * 1_000).padStart(3, '0')}Z`;
};
