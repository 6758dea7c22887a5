import type { Fault } from '../../schemas/errors.js';
import { fault } from '../../schemas/errors.js';
import { encodeJson } from '../../schemas/json.js';
import { isStepName, isStorableStep, MAX_STEP_ATTEMPTS, type EndedStep } from '../../schemas/step.js';
import { failPoint } from '../../system/processes/fail-point.js';
import { messageOf } from '../../text/thrown-message.js';
import type { StepFunction, StepOptions } from '../sdk/step-function.js';
import type { HandlerClock } from './handler-clock.js';
import { backoffMs } from './retry.js';

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 60_000;
/** Of what an effect threw. */
const MAX_TEXT = 4_096;
/** A timer of Node takes no longer time. */
const MAX_MS = 2 ** 31 - 1;

/** What an attempt needs besides its function. */
export interface StepSurroundings {
  readonly clock: HandlerClock;
  /** Aborted when the run of the handler is over. */
  readonly signal: AbortSignal;
  readonly key: string;
  /** From 0 to 1: shortens the pauses between attempts. */
  readonly random: () => number;
  /** The text of what was thrown, as it may be stored. */
  readonly shown: (text: string) => string;
  /** Runs the function where calls and other steps are refused. */
  readonly apart: <T>(run: () => T) => T;
}

const isWithin = (value: unknown, most: number, whole: boolean): boolean =>
  value === undefined ||
  (typeof value === 'number' &&
    value >= (whole ? 1 : 0) &&
    value <= most &&
    (!whole || Number.isInteger(value)));

/** Why a step cannot begin; undefined if it can. */
export const stepProblem = (name: unknown, run: unknown, options: StepOptions = {}): Fault | undefined => {
  const invalid = (text: string): Fault => fault('STEP_INVALID', text);
  if (!isStepName(name))
    return invalid(
      `the name of a step has 1 to 128 printable characters, and not ${JSON.stringify(name)?.slice(0, 200)}`,
    );
  if (typeof run !== 'function') return invalid(`step ${name} has no function`);
  const { attempts, backoffMs: pauseMs, timeoutMs } = options;
  if (!isWithin(attempts, MAX_STEP_ATTEMPTS, true))
    return invalid(`attempts of step ${name} is ${attempts}, and not 1 to ${MAX_STEP_ATTEMPTS}`);
  if (!isWithin(pauseMs, MAX_MS, false))
    return invalid(`backoffMs of step ${name} is ${pauseMs}, and no time`);
  if (!isWithin(timeoutMs, MAX_MS, true))
    return invalid(`timeoutMs of step ${name} is ${timeoutMs}, and no time`);
  return undefined;
};

const failed = (
  name: string,
  code: 'STEP_FAILED' | 'STEP_INVALID',
  message: string,
  attempts: number,
): EndedStep => ({
  name,
  status: 'failed',
  error: { code, message: message.slice(0, MAX_TEXT) },
  attempts,
});

/** What was returned, if a record can hold it: the effect has happened, so it is stored in either case. */
const returned = (name: string, value: unknown, attempts: number): EndedStep => {
  const invalid = (why: string): EndedStep =>
    failed(name, 'STEP_INVALID', `the value of step ${name} ${why}; its effect has happened`, attempts);
  if (value === undefined) return { name, status: 'ok', attempts };
  try {
    const text = JSON.stringify(value);
    if (text === undefined) return invalid(`is a ${typeof value}, which has no form in JSON`);
    // The handler gets what the log has, in this run too: JSON has no Date and no -0.
    const step: EndedStep = { name, status: 'ok', value: JSON.parse(text), attempts };
    return isStorableStep(encodeJson(step)) ? step : invalid('is too large or too deep for a record');
  } catch (error) {
    return invalid(`has no form in JSON: ${messageOf(error)}`);
  }
};

const OVER = Symbol('the run is over');

/** One attempt: what the function returned, thrown if it throws or is late, {@link OVER} with the handler. */
const attemptOnce = async (
  run: StepFunction<unknown>,
  attempt: number,
  timeoutMs: number | undefined,
  { clock, signal, key, apart }: StepSurroundings,
): Promise<unknown> => {
  const abort = new AbortController();
  const ends: (() => void)[] = [];
  const over = new Promise<typeof OVER>((resolve) => {
    const end = (): void => {
      abort.abort();
      resolve(OVER);
    };
    signal.addEventListener('abort', end, { once: true });
    ends.push(() => signal.removeEventListener('abort', end));
  });
  const waits: Promise<unknown>[] = [over];
  if (timeoutMs !== undefined)
    waits.push(
      new Promise((_, reject) => {
        const late = (): void => {
          // First: what the function does about its signal is no answer any more.
          reject(new Error(`it did not finish within ${timeoutMs} ms`));
          abort.abort();
        };
        ends.push(clock.after(timeoutMs, late));
      }),
    );
  try {
    failPoint('step.begun');
    waits.push(Promise.resolve(apart(() => run({ key, attempt, signal: abort.signal }))));
    return await Promise.race(waits);
  } finally {
    for (const end of ends) end();
  }
};

const pause = (ms: number, { clock, signal }: StepSurroundings): Promise<void> =>
  new Promise((resume) => {
    const end = (): void => {
      stop();
      signal.removeEventListener('abort', end);
      resume();
    };
    const stop = clock.after(ms, end);
    signal.addEventListener('abort', end, { once: true });
  });

/** Runs the function of a step until it returns or has failed; undefined if the run of the handler is over first. */
export const attemptStep = async (
  name: string,
  run: StepFunction<unknown>,
  { attempts = 1, backoffMs: first = FIRST_PAUSE_MS, timeoutMs }: StepOptions,
  around: StepSurroundings,
): Promise<EndedStep | undefined> => {
  for (let attempt = 1; !around.signal.aborted; attempt++) {
    try {
      const value = await attemptOnce(run, attempt, timeoutMs, around);
      if (value === OVER) return undefined;
      failPoint('step.returned');
      return returned(name, value, attempt);
    } catch (error) {
      if (around.signal.aborted) return undefined;
      const text = around.shown(messageOf(error));
      if (attempt >= attempts)
        return failed(name, 'STEP_FAILED', `step ${name} failed at attempt ${attempt}: ${text}`, attempt);
    }
    const retry = { attempts, backoffMs: first, maxBackoffMs: Math.max(first, LONGEST_PAUSE_MS) };
    const pauseMs = backoffMs(retry, attempt, around.random());
    if (pauseMs > 0) await pause(pauseMs, around);
  }
  return undefined;
};
