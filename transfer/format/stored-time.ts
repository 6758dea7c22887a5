import { parseInstant } from '../../schemas/instant.js';

const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z$/;
/** The server counts in 64 bits, so it has no time after 2262-04-11. */
const MAX_NANOS = 2n ** 63n - 1n;
const NANOS_DIGITS = 9;

/** Time of storing, RFC 3339 with all digits of the server: nanoseconds. */
export const formatStoredTime = (nanos: string): string => {
  const digits = nanos.padStart(NANOS_DIGITS + 1, '0');
  const seconds = Number(digits.slice(0, -NANOS_DIGITS));
  return `${new Date(seconds * 1_000).toISOString().slice(0, -4)}${digits.slice(-NANOS_DIGITS)}Z`;
};

/** The inverse: nanoseconds since 1970, in digits; undefined for other text. Fewer digits are allowed. */
export const parseStoredTime = (text: string): string | undefined => {
  const match = TIME.exec(text);
  const ms = match === null ? undefined : parseInstant(`${match[1]}Z`);
  if (match === null || ms === undefined || ms < 0) return undefined;
  const nanos = `${ms / 1_000}${(match[2] ?? '').padEnd(NANOS_DIGITS, '0')}`.replace(/^0+(?=\d)/, '');
  return BigInt(nanos) > MAX_NANOS ? undefined : nanos;
};
