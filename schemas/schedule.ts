import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import Type, { type Static } from 'typebox';
import { nextCron, parseCron, parseTimeZone } from './cron.js';
import { type Fault, fault } from './errors.js';
import { parseInstant } from './instant.js';
import type { PayloadForm } from './payload.js';
import { parseDuration } from './quantity.js';
import { type Address, callSubject } from './subjects.js';

/** Commands that are sent later, once or repeatedly: see docs/decisions/0053. */

/** A request for a schedule: the payload is the command's, the headers give the times. */
export const scheduleSubject = (address: Address): string =>
  `schedule${callSubject(address).slice('call'.length)}`;

/** Headers of a request for a schedule: one of the first four. */
export const SCHEDULE_HEADER = {
  at: 'Tally-At',
  in: 'Tally-In',
  every: 'Tally-Every',
  cron: 'Tally-Cron',
  timezone: 'Tally-Timezone',
} as const;

export type WhenHeaders = { readonly [K in keyof typeof SCHEDULE_HEADER]?: string | undefined };

/** The times at which a command is due, in milliseconds since 1970. */
export type Timing =
  | { readonly kind: 'at'; readonly atMs: number }
  | { readonly kind: 'every'; readonly everyMs: number }
  | { readonly kind: 'cron'; readonly expression: string; readonly timezone?: string };

/** The farthest time ahead. A Date can still hold every time that is computed from it. */
const FARTHEST_MS = 100 * 366 * 86_400_000;
const SECOND_MS = 1_000;

/** The most characters of a time, a duration or a cron expression: every useful one is shorter. */
export const MAX_WHEN_TEXT = 256;

const invalid = (message: string): Either<Fault, never> => left(fault('SCHEDULE_INVALID', message));

const parseAt = (text: string, nowMs: number): Either<Fault, Timing> => {
  const atMs = parseInstant(text);
  if (atMs === undefined) {
    return invalid(
      `${JSON.stringify(text)} is not an RFC 3339 time with its offset, such as 2030-01-31T12:00:00Z`,
    );
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
  // Each firing is at a full second.
  return span.right < SECOND_MS || span.right % SECOND_MS !== 0
    ? invalid(`the period must be a whole number of seconds, at least 1s; ${text} is not`)
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

/** Reads when a command is due. SCHEDULE_INVALID names the part that cannot be read, is past, or occurs twice. */
export const parseTiming = (when: WhenHeaders, nowMs: number): Either<Fault, Timing> => {
  const given = (['at', 'in', 'every', 'cron'] as const).filter((key) => when[key] !== undefined);
  const [kind] = given;
  if (kind === undefined || given.length > 1) {
    const found = given.length === 0 ? 'none was given' : `${given.join(' and ')} were given`;
    return invalid(`a schedule needs one of at, in, every and cron; ${found}`);
  }
  if (when.timezone !== undefined && kind !== 'cron') return invalid('a time zone needs cron');
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

/** A timing as one text, for a header; the time zone is in another header. */
export const timingText = (timing: Timing): string => {
  if (timing.kind === 'at') return `@at ${new Date(timing.atMs).toISOString()}`;
  return timing.kind === 'every' ? `@every ${timing.everyMs / SECOND_MS}s` : timing.expression;
};

const EVERY = /^@every (\d{1,12})s$/;

/** The inverse; undefined for other text. */
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

/** The first due time after `sinceMs`; Infinity: never. */
export const firstDue = (timing: Timing, sinceMs: number): number => {
  if (timing.kind === 'at') return timing.atMs;
  if (timing.kind === 'every') return Math.round(sinceMs / SECOND_MS) * SECOND_MS + timing.everyMs;
  const cron = parseCron(timing.expression);
  return (
    (isLeft(cron) ? undefined : nextCron(cron.right, sinceMs, timing.timezone)) ?? Number.POSITIVE_INFINITY
  );
};

/** The next due time after `afterMs`, if it is due at `dueMs`; Infinity: never. A period keeps its rhythm. */
export const nextDue = (timing: Timing, dueMs: number, afterMs: number): number => {
  if (timing.kind === 'at') return Number.POSITIVE_INFINITY;
  if (timing.kind === 'cron') return firstDue(timing, afterMs);
  const { everyMs } = timing;
  return afterMs < dueMs ? dueMs : dueMs + (Math.floor((afterMs - dueMs) / everyMs) + 1) * everyMs;
};

const OrNull = (description: string) => Type.Union([Type.String(), Type.Null()], { description });

/** The schema of a schedule, as the broker replies with it. */
export const ScheduleSchema = Type.Object(
  {
    id: Type.String(),
    module: Type.String(),
    action: Type.String(),
    agent: OrNull('null if the action takes no agent.'),
    sender: Type.String({
      description: 'The authenticated sender of the request; its commands have this sender.',
    }),
    at: OrNull('RFC 3339 time of a command that is sent once.'),
    everyMs: Type.Union([Type.Integer({ minimum: 1_000 }), Type.Null()], {
      description: 'Period of a repeated command in milliseconds.',
    }),
    cron: OrNull('Six fields; the first one is the seconds.'),
    timezone: OrNull('Time zone of the cron expression; null: UTC.'),
    next: Type.String({ description: 'RFC 3339 time of the next command, as far as the broker knows.' }),
    created: Type.String({ description: 'RFC 3339 time.' }),
  },
  { description: 'A scheduled command. Fields that do not apply are null.' },
);
/** A schedule: a command, and when it is sent. */
export type Schedule = Readonly<Static<typeof ScheduleSchema>>;

/** A schedule with the headers and the payload of its commands. */
export type ScheduleDetails = Schedule & {
  readonly headers: Readonly<Record<string, string>>;
  readonly form: PayloadForm;
  /** The payload as the sender sent it, as text of JSON: see `Payload`. null if the reply would exceed one message. */
  readonly payload: string | null;
  readonly dataBytes: number;
};

export interface SchedulePage {
  readonly schedules: readonly Schedule[];
  /** Start of the next page; null after the last. */
  readonly next: number | null;
}
