import * as E from 'fp-ts/lib/Either.js';
import { randomBytes } from 'node:crypto';
import type { Draft } from '../../journal/append/draft.js';
import { type Fault, fault } from '../../schemas/errors.js';
import { HEADER } from '../../schemas/headers.js';
import { isName } from '../../schemas/names.js';
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
export type WaitTime =
  | { readonly ms: number }
  | { readonly untilMs: number }
  | { readonly signal: string; readonly timeoutMs?: number }
  /** A promise; its secret is that of the record. */
  | { readonly promise: true; readonly timeoutMs?: number };

/** A wait of one run. */
export interface AskedWait extends StepPlace {
  readonly module: string;
  readonly action: string;
  readonly command: Command;
  readonly time: WaitTime;
  readonly isOver: () => boolean;
  /** A cancel of the command does not end it. */
  readonly isShielded: boolean;
  /** The highest number that the log has of the command. */
  readonly last: number;
}

/** What a wait came to. */
export interface WaitAnswer {
  /** Undefined: it lasts. The handler runs again when it has ended. */
  readonly said?: E.Either<Refusal, unknown>;
  /** The body of its record; undefined if the log has none. */
  readonly body?: Uint8Array;
  /** The secret of its promise, as the record has it. */
  readonly promise?: string | undefined;
  /** The command that made it, where a restart has kept it. */
  readonly madeBy?: number | undefined;
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
  const at = (ms: number): { until: string } => ({ until: new Date(ms).toISOString() });
  const limitOf = (ms: number | undefined) => (ms === undefined ? {} : { ms, ...at(nowMs + ms) });
  if ('promise' in time) {
    const promise = randomBytes(16).toString('hex');
    return { name: 'promise', status: 'waiting', promise, ...limitOf(time.timeoutMs) };
  }
  if ('signal' in time) {
    const { signal, timeoutMs } = time;
    const limit = limitOf(timeoutMs);
    return { name: 'signal', status: 'waiting', signal, ...limit };
  }
  return 'ms' in time
    ? { name: 'sleep', status: 'waiting', ms: time.ms, ...at(nowMs + time.ms) }
    : { name: 'sleep', status: 'waiting', ...at(time.untilMs) };
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
      ...(wait.until === undefined ? {} : { [HEADER.until]: wait.until }),
      ...(wait.promise === undefined ? {} : { [HEADER.promise]: wait.promise }),
      ...(wait.signal === undefined ? {} : { [HEADER.signal]: wait.signal }),
      [HEADER.conversation]: String(command.conversation),
    },
  };
};

const MAX_WAIT_MS = 1_000 * 365 * 24 * 3_600_000;

/** A wait for a promise. */
export const promiseFor = (timeoutMs: unknown): E.Either<Fault, WaitTime> => {
  if (timeoutMs === undefined) return E.right({ promise: true });
  return typeof timeoutMs === 'number' &&
    Number.isInteger(timeoutMs) &&
    timeoutMs >= 0 &&
    timeoutMs <= MAX_WAIT_MS
    ? E.right({ promise: true, timeoutMs })
    : invalid(`timeoutMs of a promise is ${String(timeoutMs).slice(0, 200)}, and no time`);
};

/** A wait for a signal. Only an agent has signals. */
export const waitFor = (agent: string, name: unknown, timeoutMs: unknown): E.Either<Fault, WaitTime> => {
  if (agent === '') return invalid('signals are for agents, and this command is for the module itself');
  if (typeof name !== 'string' || !isName(name))
    return invalid(
      `the name of a signal is 1 to 64 of A-Z a-z 0-9 _ -, and not ${JSON.stringify(name)?.slice(0, 200)}`,
    );
  if (timeoutMs === undefined) return E.right({ signal: name });
  return typeof timeoutMs === 'number' &&
    Number.isInteger(timeoutMs) &&
    timeoutMs >= 0 &&
    timeoutMs <= MAX_WAIT_MS
    ? E.right({ signal: name, timeoutMs })
    : invalid(`timeoutMs of signal ${name} is ${String(timeoutMs).slice(0, 200)}, and no time`);
};

/** What a handler gets of a wake. */
export const saidByWake = (wake: Wake): E.Either<Refusal, unknown> =>
  wake.status === 'ok'
    ? E.right(wake.value)
    : E.left({ status: 'failed', error: { ...wake.error, retryable: false } });

/** Whether a recorded wait is the one that a handler asks for now. */
export const isSameWait = (recorded: WaitStep, time: WaitTime): boolean =>
  'promise' in time
    ? recorded.promise !== undefined && recorded.ms === time.timeoutMs
    : recorded.promise !== undefined
      ? false
      : 'signal' in time
        ? recorded.signal === time.signal && recorded.ms === time.timeoutMs
        : recorded.signal === undefined &&
          ('ms' in time
            ? recorded.ms === time.ms
            : recorded.ms === undefined && parseInstant(recorded.until ?? '') === time.untilMs);

/** A wait that a handler asks for, for people. */
export const shownWait = (time: WaitTime): string => {
  if ('promise' in time) return `promise${time.timeoutMs === undefined ? '' : ` for ${time.timeoutMs} ms`}`;
  if ('signal' in time)
    return `signal ${time.signal}${time.timeoutMs === undefined ? '' : ` for ${time.timeoutMs} ms`}`;
  return 'ms' in time ? `sleep for ${time.ms} ms` : `sleep until ${new Date(time.untilMs).toISOString()}`;
};

/** What the log has of a wait; undefined: nothing. */
const waitInLog = async (
  services: Pick<StepServices, 'steps'>,
  wait: AskedWait,
): Promise<WaitAnswer | undefined> => {
  const { cause, call, time } = wait;
  const { seq, step, other, wake, cause: madeBy } = await services.steps.at(wait);
  if (seq === undefined) return undefined;
  if (step?.status !== 'waiting' || !isSameWait(step, time)) {
    const recorded = step === undefined ? other : shownStep(step);
    const text = `call ${call} of command ${cause} is recorded at ${seq} as ${recorded}; the handler that runs again asks for ${shownWait(time)}`;
    const differs = fault('REPLAY_DIFFERS', text);
    return { said: E.left(refusal(differs)), differs };
  }
  const body = encodeJson(step);
  const { promise } = step;
  return wake === undefined ? { body, promise } : { body, promise, madeBy, said: saidByWake(wake) };
};

/** Begins a wait, or finds how it ended. Its record is in the log before it lasts. */
export const runWait = async (
  services: Pick<StepServices, 'steps' | 'clock'>,
  wait: AskedWait,
): Promise<WaitAnswer> => {
  const { cause, call, time, isOver, isShielded, last } = wait;
  const recorded = call > last ? undefined : await waitInLog(services, wait);
  if (recorded !== undefined) return recorded;
  const waiting: WaitStep = {
    ...asked(time, services.clock.now()),
    ...(isShielded ? { shielded: true } : {}),
  };
  const stored = await services.steps.store({ cause, call }, draftOf(wait, waiting), isOver);
  return E.isLeft(stored)
    ? { said: E.left(refusal(stored.left)) }
    : { body: encodeJson(waiting), promise: waiting.promise };
};
