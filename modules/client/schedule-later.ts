import { type Either, isLeft, left, right } from 'fp-ts/lib/Either.js';
import { headers as makeHeaders, type NatsConnection } from 'nats';
import { neverSent } from '../../link/never-sent.js';
import { isNobody, untilServed } from '../../link/until-served.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { MAX_TIMER_MS } from '../../schemas/quantity.js';
import { type Refusal, type Result, refusal } from '../../schemas/result.js';
import {
  parseTiming,
  SCHEDULE_HEADER,
  type Schedule,
  scheduleSubject,
  type WhenHeaders,
} from '../../schemas/schedule.js';
import { type Asked, prepared } from './prepared.js';
import { DEFAULT_CALL_TIMEOUT_MS } from './task-client.js';

/** When a command is to be sent: one of these. */
export type When =
  /** At this time, once. */
  | { readonly at: Date }
  /** After this duration, once: `10m`, `36h`. */
  | { readonly in: string }
  /** Repeatedly, with this pause: whole seconds, `30s`, `1h`. */
  | { readonly every: string }
  /** At the times of a cron expression, minute hour day month weekday, in a time zone (default: UTC). */
  | { readonly cron: string; readonly timezone?: string };

/** The times of a schedule as its headers have them. */
export const textsOf = (when: When): WhenHeaders =>
  'at' in when && when.at instanceof Date
    ? { at: Number.isNaN(when.at.getTime()) ? 'no date' : when.at.toISOString() }
    : (when as WhenHeaders);

const silence = (nc: NatsConnection, thrown: unknown, subject: string): Fault => {
  const unsent = neverSent(thrown, nc);
  if (unsent !== undefined) return unsent;
  return isNobody(thrown)
    ? fault('BROKER_UNREACHABLE', `no broker serves ${subject}: is it running?`)
    : fault(
        'LOG_UNCERTAIN',
        `no answer to ${subject}: ${(thrown as Error).message}; the schedule may be stored`,
      );
};

/** Asks the broker to send a command later. What is wrong with it is found before anything is sent. */
export const scheduleCommand = async (
  nc: NatsConnection,
  asked: Asked,
  when: When,
  timeoutMs = DEFAULT_CALL_TIMEOUT_MS,
): Promise<Either<Refusal, Schedule>> => {
  const texts = textsOf(when);
  const timing = parseTiming(texts, Date.now());
  if (isLeft(timing)) return left(refusal(timing.left));
  const command = prepared(asked);
  if (isLeft(command)) return left(refusal(command.left));
  const { address, payload, headers } = command.right;
  const all = makeHeaders();
  for (const [name, value] of Object.entries(headers)) all.set(name, value);
  for (const [key, name] of Object.entries(SCHEDULE_HEADER)) {
    const value = texts[key as keyof WhenHeaders];
    if (value !== undefined) all.set(name, value);
  }
  const subject = scheduleSubject(address);
  try {
    const timeout = Math.min(timeoutMs, MAX_TIMER_MS);
    const reply = await untilServed(() => nc.request(subject, payload, { headers: all, timeout }));
    const result = reply.json<Result>();
    return result.status === 'ok' ? right(result.data as Schedule) : left(result);
  } catch (thrown) {
    return left(refusal(silence(nc, thrown, subject)));
  }
};
