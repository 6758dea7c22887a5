import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import Type, { type Static } from 'typebox';
import { nextCron, parseCron, parseTimeZone } from './cron.js';
import { type Fault, fault } from './errors.js';
import { parseInstant } from './instant.js';
import type { PayloadForm } from './payload.js';
import { parseDuration } from './quantity.js';
import { type Address, callSubject } from './subjects.js';

/** Commands that are sent later, or again and again: see docs/decisions/0053. */

/** What a sender requests; the payload is the command's, the headers say when. */
export const scheduleSubject = (address: Address): string =>
  `schedule${callSubject(address).slice('call'.length)}`;

/** Headers of a request to schedule a command: one of the first four. */
export const SCHEDULE_HEADER = {
  at: 'Tally-At',
  in: 'Tally-In',
  every: 'Tally-Every',
  cron: 'Tally-Cron',
  timezone: 'Tally-Timezone',
} as const;

export type WhenHeaders = { readonly [K in keyof typeof SCHEDULE_HEADER]?: string | undefined };

/** When a command is due, milliseconds since 1970. */
export type Timing =
  | { readonly kind: 'at'; readonly atMs: number }
  | { readonly kind: 'every'; readonly everyMs: number }
  | { readonly kind: 'cron'; readonly expression: string; readonly timezone?: string };

/** Farther ahead nobody plans, and a Date still has all that is counted from there. */
const FARTHEST_MS = 100 * 366 * 86_400_000;
const SECOND_MS = 1_000;

/** Characters of what says when, at most: no time, duration or cron expression that means something is longer. */
export const MAX_WHEN_TEXT = 256;

const invalid = (message: string): Either<Fault, never> => left(fault('SCHEDULE_INVALID', message));

const parseAt = (text: string, nowMs: number): Either<Fault, Timing> => {
  const atMs = parseInstant(text);
  if (atMs === undefined) {
    return invalid(`${JSON.stringify(text)} is no RFC 3339 time with its offset, as 2030-01-31T12:00:00Z`);
  }
  if (atMs <= nowMs) return invalid(`${text} is past`);
  return atMs - nowMs > FARTHEST_MS ? invalid(`${text} is too far away`) : right({ kind: 'at', atMs });
};

const parseSpan = (text: string): Either<Fault, number> => {
  const span = parseDuration(text);
  if (isLeft(span)) return invalid(span.left.message);
  return span.right > FARTHEST_MS ? invalid(`${text} is too long`) : span;
};

const parseIn = (text: string, nowMs: number): Either<Fault, Timing> => {
  const span = parseSpan(text);
  return isLeft(span) ? span : right({ kind: 'at', atMs: nowMs + span.right });
};

const parseEvery = (text: string): Either<Fault, Timing> => {
  const span = parseSpan(text);
  if (isLeft(span)) return span;
  // Each firing is at a whole second.
  return span.right < SECOND_MS || span.right % SECOND_MS !== 0
    ? invalid(`a command is repeated every whole number of seconds, 1s or more; ${text} is not one`)
    : right({ kind: 'every', everyMs: span.right });
};

const parseCronTiming = (text: string, zone: string | undefined, nowMs: number): Either<Fault, Timing> => {
  const cron = parseCron(text);
  if (isLeft(cron)) return cron;
  const timezone = zone === undefined ? undefined : parseTimeZone(zone);
  if (timezone !== undefined && isLeft(timezone)) return timezone;
  if (nextCron(cron.right, nowMs, zone) === undefined)
    return invalid(`${text} never comes, or not within nine years: look at its day and month`);
  const { expression } = cron.right;
  return right({ kind: 'cron', expression, ...(zone === undefined ? {} : { timezone: zone }) });
};

/** Reads when a command is due; SCHEDULE_INVALID says what cannot be read, is past, or is said twice. */
export const parseTiming = (when: WhenHeaders, nowMs: number): Either<Fault, Timing> => {
  const given = (['at', 'in', 'every', 'cron'] as const).filter((key) => when[key] !== undefined);
  const [kind] = given;
  if (kind === undefined || given.length > 1) {
    const said = given.length === 0 ? 'none was given' : `${given.join(' and ')} were given`;
    return invalid(`a schedule needs one of at, in, every and cron; ${said}`);
  }
  if (when.timezone !== undefined && kind !== 'cron') return invalid('a time zone goes with cron only');
  if (when.timezone === '') {
    return invalid('the time zone is empty: name one, such as Europe/Berlin, or leave it out for UTC');
  }
  const long = [kind, 'timezone' as const].find((key) => (when[key]?.length ?? 0) > MAX_WHEN_TEXT);
  if (long !== undefined) {
    return invalid(`${SCHEDULE_HEADER[long]} has ${when[long]?.length} characters, above ${MAX_WHEN_TEXT}`);
  }
  const text = when[kind] as string;
  if (kind === 'at') return parseAt(text, nowMs);
  if (kind === 'in') return parseIn(text, nowMs);
  return kind === 'every' ? parseEvery(text) : parseCronTiming(text, when.timezone, nowMs);
};

/** A timing as one text, for a header; a time zone is a separate header. */
export const timingText = (timing: Timing): string => {
  if (timing.kind === 'at') return `@at ${new Date(timing.atMs).toISOString()}`;
  return timing.kind === 'every' ? `@every ${timing.everyMs / SECOND_MS}s` : timing.expression;
};

const EVERY = /^@every (\d{1,12})s$/;

/** The inverse; undefined for what is none. */
export const timingOf = (text: string, zone: string): Timing | undefined => {
  if (text.startsWith('@at ')) {
    const atMs = parseInstant(text.slice('@at '.length));
    return atMs === undefined ? undefined : { kind: 'at', atMs };
  }
  const every = Number(EVERY.exec(text)?.[1] ?? 0);
  if (every > 0) return { kind: 'every', everyMs: every * SECOND_MS };
  const cron = parseCron(text);
  if (isLeft(cron) || (zone !== '' && isLeft(parseTimeZone(zone)))) return undefined;
  return { kind: 'cron', expression: cron.right.expression, ...(zone === '' ? {} : { timezone: zone }) };
};

/** When it is due for the first time after `sinceMs`; Infinity: never. */
export const firstDue = (timing: Timing, sinceMs: number): number => {
  if (timing.kind === 'at') return timing.atMs;
  if (timing.kind === 'every') return Math.round(sinceMs / SECOND_MS) * SECOND_MS + timing.everyMs;
  const cron = parseCron(timing.expression);
  return (
    (isLeft(cron) ? undefined : nextCron(cron.right, sinceMs, timing.timezone)) ?? Number.POSITIVE_INFINITY
  );
};

/** When it is due next after `afterMs`, where it is due at `dueMs`; Infinity: never. A period keeps its rhythm. */
export const nextDue = (timing: Timing, dueMs: number, afterMs: number): number => {
  if (timing.kind === 'at') return Number.POSITIVE_INFINITY;
  if (timing.kind === 'cron') return firstDue(timing, afterMs);
  const { everyMs } = timing;
  return afterMs < dueMs ? dueMs : dueMs + (Math.floor((afterMs - dueMs) / everyMs) + 1) * everyMs;
};

const OrNull = (description: string) => Type.Union([Type.String(), Type.Null()], { description });

export const ScheduleSchema = Type.Object(
  {
    id: Type.String(),
    module: Type.String(),
    action: Type.String(),
    agent: OrNull('null where the action is addressed to the module.'),
    sender: Type.String({
      description: 'Who scheduled it, as the server authenticated it; its commands bear this sender.',
    }),
    at: OrNull('RFC 3339 time of a command that is sent once.'),
    everyMs: Type.Union([Type.Integer({ minimum: 1_000 }), Type.Null()], {
      description: 'Period of one that is repeated, milliseconds.',
    }),
    cron: OrNull('Six fields, the first of them seconds.'),
    timezone: OrNull('What the cron expression is read in; null: UTC.'),
    next: Type.String({ description: 'RFC 3339 time at which it is due next, as far as the broker knows.' }),
    created: Type.String({ description: 'RFC 3339 time.' }),
  },
  { description: 'A scheduled command. Fields that do not apply are null.' },
);
export type Schedule = Readonly<Static<typeof ScheduleSchema>>;

/** A schedule with what its commands hold. */
export type ScheduleDetails = Schedule & {
  readonly headers: Readonly<Record<string, string>>;
  readonly form: PayloadForm;
  /** The payload as it was sent, as text of JSON: see `Payload`. null where the answer would be too large for one message. */
  readonly payload: string | null;
  readonly dataBytes: number;
};

export interface SchedulePage {
  readonly schedules: readonly Schedule[];
  /** Where the next page begins; null behind the last. */
  readonly next: number | null;
}
