import { type Either, left, right } from 'fp-ts/lib/Either.js';
import { type Fault, fault } from './errors.js';
import { BYTE_STEPS, formatBytes, KIB } from '../text/bytes.js';

/** Sizes and durations as users write them: `10GB`, `512MiB`, `1.5k`, `30s`, `2h`. */

/** The longest timer of Node in milliseconds, almost 25 days. A longer one would fire at once. */
export const MAX_TIMER_MS = 2 ** 31 - 1;

/** The most characters that are read. */
const MAX_TEXT = 256;

const BYTE_UNITS: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['b', 1],
  ['k', 1e3],
  ['kb', 1e3],
  ['kib', KIB],
  ['m', 1e6],
  ['mb', 1e6],
  ['mib', KIB ** 2],
  ['g', 1e9],
  ['gb', 1e9],
  ['gib', KIB ** 3],
  ['t', 1e12],
  ['tb', 1e12],
  ['tib', KIB ** 4],
]);

// There is no unit for a month: `m` is a minute, as in Go, which the stock `nats` command line follows.
const DURATION_UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

const BYTES = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i;
const DURATION = /^(?:\d+(?:\.\d+)?(?:ms|s|m|h|d))+$/;
const DURATION_PART = /(\d+(?:\.\d+)?)(ms|s|m|h|d)/g;

const whole = (what: string, text: string, value: number, examples: string): Either<Fault, number> =>
  Number.isSafeInteger(value)
    ? right(value)
    : left(fault('USAGE', `${what} ${JSON.stringify(text)} is too large; for example ${examples}`));

/** Whole bytes of a size: a plain number, or one with kB, MB, GB, TB (1000) or KiB, MiB, GiB, TiB (1024); USAGE. */
export const parseBytes = (text: string): Either<Fault, number> => {
  const match = text.length > MAX_TEXT ? null : BYTES.exec(text.trim());
  const unit = BYTE_UNITS.get((match?.[2] ?? '').toLowerCase());
  if (match === null || unit === undefined) {
    return left(
      fault(
        'USAGE',
        `${JSON.stringify(text.slice(0, MAX_TEXT))} is not a size; for example 10GB, 512MiB or 1048576`,
      ),
    );
  }
  return whole('size', text, Math.round(Number(match[1]) * unit), '10GB');
};

/** Whole milliseconds of a duration: `500ms`, `30s`, `1h30m`; a number without a unit is refused; USAGE. */
export const parseDuration = (text: string): Either<Fault, number> => {
  const trimmed = text.trim();
  if (text.length > MAX_TEXT || !DURATION.test(trimmed)) {
    return left(
      fault(
        'USAGE',
        `${JSON.stringify(text.slice(0, MAX_TEXT))} is not a duration; for example 500ms, 30s, 1h30m or 2d`,
      ),
    );
  }
  let ms = 0;
  for (const [, amount, unit] of trimmed.matchAll(DURATION_PART)) {
    ms += Number(amount) * (DURATION_UNITS[unit as string] as number);
  }
  return whole('duration', text, Math.round(ms), '2h');
};

const DECIMAL_STEPS = [
  ['TB', 1e12],
  ['GB', 1e9],
  ['MB', 1e6],
  ['kB', 1e3],
] as const;

const BINARY_UNIT = /i(?:b)?\s*$/i;
const NO_UNIT = /^\s*\d+(?:\.\d+)?\s*b?\s*$/i;

/** The smallest size of at least this many bytes, in the kind of units that `text` has: `16MiB`, `16.8MB`. */
export const atLeastLike = (text: string, bytes: number): string => {
  if (NO_UNIT.test(text)) return `${bytes} (${formatBytes(bytes).replace(' ', '')})`;
  const steps = BINARY_UNIT.test(text) ? BYTE_STEPS : DECIMAL_STEPS;
  const [unit, size] = steps.find(([, each]) => bytes >= each) ?? ['B', 1];
  // Rounded up, so it is never below the bytes.
  return `${Math.ceil((bytes / size) * 10) / 10}${unit}`;
};
