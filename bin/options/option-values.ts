import { Option } from 'commander';
import { isLeft, left, right } from 'fp-ts/lib/Either.js';
import { parseLogBytes } from '../../schemas/config.js';
import { fault } from '../../schemas/errors.js';
import { parseSequence } from '../../schemas/identity.js';
import { parsePlace } from '../../schemas/log-place.js';
import { parseName } from '../../schemas/names.js';
import { parseDuration } from '../../schemas/quantity.js';
import { orUsage } from '../output/run-command.js';

/** The values of options. Each makes a parser for commander that names its option when it refuses. */
type OptionParser<T> = (option: string) => (text: string) => T;

export const logPlace: OptionParser<number | Date> = (option) => (text) => orUsage(option, parsePlace(text));

/** A time, or a duration ago. */
export const agoOrTime: OptionParser<Date> = (option) => (text) => {
  const place = parsePlace(text);
  const problem = fault(
    'USAGE',
    `${JSON.stringify(text)} is not an RFC 3339 time (2026-01-02T03:04:05Z) or a duration ago (2h)`,
  );
  return orUsage(
    option,
    isLeft(place) || !(place.right instanceof Date) ? left(problem) : right(place.right),
  );
};

export const name: OptionParser<string> = (option) => (text) => orUsage(option, parseName('the name', text));

export const duration: OptionParser<number> = (option) => (text) => orUsage(option, parseDuration(text));

/** A round number just below the limit of Node's timers. */
const MAX_WAIT_MS = 24 * 86_400_000;

/** How long to wait. */
export const waiting: OptionParser<number> = (option) => (text) => {
  const parsed = parseDuration(text);
  const tooLong = fault('USAGE', `${text} is longer than 24d, the longest that a command waits`);
  return orUsage(option, isLeft(parsed) || parsed.right <= MAX_WAIT_MS ? parsed : left(tooLong));
};

export const positive: OptionParser<number> = (option) => (text) => {
  const value = parseSequence(text);
  const problem = fault('USAGE', `${JSON.stringify(text)} is not a number from 1 on`);
  return orUsage(option, value === undefined ? left(problem) : right(value));
};

/** The size limit of a log in bytes. */
export const logBytes: OptionParser<number> = (option) => (text) => orUsage(option, parseLogBytes(text));

/** An option with a default, which `--help` shows in the form in which you type it. */
export const withDefault = <T>(
  flags: string,
  description: string,
  parse: (text: string) => T,
  text: string,
): Option => new Option(flags, description).argParser(parse).default(parse(text), text);

/** An option that takes one of some values, which `--help` and the completion show. */
export const oneOf = (flags: string, description: string, values: readonly string[]): Option => {
  const option: Option = new Option(flags, description).argParser((text: string) =>
    orUsage(
      option.long ?? flags,
      values.includes(text)
        ? right(text)
        : left(fault('USAGE', `${JSON.stringify(text)} is not one of ${values.join(', ')}`)),
    ),
  );
  // Not `choices`, which would replace the parser and its error.
  option.argChoices = [...values];
  return option;
};

/** `status=open`, which may be given several times. */
export const equation =
  (option: string) =>
  (text: string, before: readonly string[] = []): readonly string[] => {
    const problem = fault('USAGE', `${JSON.stringify(text)} is not FIELD=VALUE, such as status=open`);
    return [...before, orUsage(option, /^[^=]+=/.test(text) ? right(text) : left(problem))];
  };

/** An option that you can repeat. */
export const repeated = (value: string, before: readonly string[] = []): readonly string[] => [
  ...before,
  value,
];
