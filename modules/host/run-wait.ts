import * as E from 'fp-ts/lib/Either.js';
import type { Draft } from '../../journal/append/draft.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { LAST_MS, parseInstant } from '../../schemas/instant.js';
import { encodeJson } from '../../schemas/json.js';
import { type Refusal, refusal } from '../../schemas/result.js';
import { shownStep, type WaitStep } from '../../schemas/step.js';
import { stepSubject } from '../../schemas/subjects.js';
import type { Wake } from '../../schemas/wake.js';
import type { Command } from '../sdk/module-shape.js';
import type { SleepTime } from '../sdk/sleep-time.js';
import type { StepServices } from './run-step.js';
import type { StepPlace } from './step-log.js';

/** How long a handler wants to wait: for so many milliseconds, or until a time, milliseconds since 1970. */
export type WaitTime = { readonly ms: number } | { readonly untilMs: number };

/** A wait of one run. */
export interface AskedWait extends StepPlace {
  readonly module: string;
  readonly action: string;
  readonly command: Command;
  readonly time: WaitTime;
  readonly isOver: () => boolean;
  /** The highest number that the log has of the command. */
  readonly last: number;
}

/** What a wait came to. */
export interface WaitAnswer {
  /** Undefined: it lasts. The handler runs again when it has ended. */
  readonly said?: E.Either<Refusal, unknown>;
  /** The body of its record; undefined if the log has none. */
  readonly body?: Uint8Array;
  /** The log has something else at that number. */
  readonly differs?: Fault;
}

const invalid = (text: string): E.Either<Fault, never> => E.left(fault('WAIT_INVALID', text));

/** A duration of `sleep`, milliseconds. */
export const sleepFor = (ms: unknown): E.Either<Fault, WaitTime> =>
  typeof ms === 'number' && Number.isInteger(ms) && ms >= 0 && ms <= LAST_MS - Date.now()
    ? E.right({ ms })
    : invalid(
        `sleep takes whole milliseconds from 0 up to the year 9999, and not ${String(ms).slice(0, 200)}`,
      );

/** A time of `sleepUntil`. */
export const sleepTo = (time: SleepTime): E.Either<Fault, WaitTime> => {
  const untilMs =
    typeof time === 'string' ? parseInstant(time) : time instanceof Date ? time.getTime() : (time as number);
  return typeof untilMs === 'number' && Number.isInteger(untilMs) && untilMs >= 0 && untilMs <= LAST_MS
    ? E.right({ untilMs })
    : invalid(
        `sleepUntil takes a Date, an RFC 3339 time or milliseconds since 1970, and not ${String(time).slice(0, 200)}`,
      );
};

const asked = (time: WaitTime, nowMs: number): WaitStep => {
  const until = new Date('ms' in time ? nowMs + time.ms : time.untilMs).toISOString();
  return { name: 'sleep', status: 'waiting', ...('ms' in time ? { ms: time.ms } : {}), until };
};

/** The record of a wait. */
const draftOf = ({ cause, call, module, action, command }: AskedWait, wait: WaitStep): Draft => {
  const agent = command.agent === '' ? {} : { agent: command.agent };
  return {
    subject: stepSubject({ module, name: action, ...agent }),
    data: encodeJson(wait),
    headers: {
      [HEADER.cause]: String(cause),
      [HEADER.call]: String(call),
      [HEADER.until]: wait.until,
      [HEADER.conversation]: String(command.conversation),
    },
  };
};

/** What a handler gets of a wake. */
export const saidByWake = (wake: Wake): E.Either<Refusal, unknown> =>
  wake.status === 'ok'
    ? E.right(wake.value)
    : E.left({ status: 'failed', error: { ...wake.error, retryable: false } });

/** Whether a recorded wait is the one that a handler asks for now. */
export const isSameWait = (recorded: WaitStep, time: WaitTime): boolean =>
  'ms' in time
    ? recorded.ms === time.ms
    : recorded.ms === undefined && parseInstant(recorded.until) === time.untilMs;

/** A wait that a handler asks for, for people. */
export const shownWait = (time: WaitTime): string =>
  'ms' in time ? `sleep for ${time.ms} ms` : `sleep until ${new Date(time.untilMs).toISOString()}`;

/** What the log has of a wait; undefined: nothing. */
const waitInLog = async (
  services: Pick<StepServices, 'steps'>,
  wait: AskedWait,
): Promise<WaitAnswer | undefined> => {
  const { cause, call, time } = wait;
  const { seq, step, other, wake } = await services.steps.at(wait);
  if (seq === undefined) return undefined;
  if (step?.status !== 'waiting' || !isSameWait(step, time)) {
    const recorded = step === undefined ? other : shownStep(step);
    const text = `call ${call} of command ${cause} is recorded at ${seq} as ${recorded}; the handler that runs again asks for ${shownWait(time)}`;
    const differs = fault('REPLAY_DIFFERS', text);
    return { said: E.left(refusal(differs)), differs };
  }
  const body = encodeJson(step);
  return wake === undefined ? { body } : { body, said: saidByWake(wake) };
};

/** Begins a wait, or finds how it ended. Its record is in the log before it lasts. */
export const runWait = async (
  services: Pick<StepServices, 'steps' | 'clock'>,
  wait: AskedWait,
): Promise<WaitAnswer> => {
  const { cause, call, time, isOver, last } = wait;
  const recorded = call > last ? undefined : await waitInLog(services, wait);
  if (recorded !== undefined) return recorded;
  const waiting = asked(time, services.clock.now());
  const stored = await services.steps.store({ cause, call }, draftOf(wait, waiting), isOver);
  return E.isLeft(stored) ? { said: E.left(refusal(stored.left)) } : { body: encodeJson(waiting) };
};
