import type { Retry } from '../../schemas/manifest.js';
import type { Outcome } from './handler-outcome.js';

/**
 * Whether another run may end otherwise: the handler threw or was late, or it says so itself. What it returned against
 * its own schemas it would return again, and a refusal that the log has as the answer to a call stays what it is.
 */
export const isWorthTrying = ({ refusal, final }: Outcome): boolean => {
  if (refusal === undefined || final === true) return false;
  const { status, error } = refusal;
  if (status === 'rejected') return error.retryable;
  return status === 'failed' && (error.code === 'HANDLER_THREW' || error.code === 'HANDLER_TIMEOUT');
};

/**
 * The pause before the next try, milliseconds: it doubles with each, up to the longest, and is shortened by up to
 * half at random, so that what failed together is not tried again together. `random` is from 0 to 1.
 */
export const backoffMs = (
  { backoffMs: first, maxBackoffMs }: Retry,
  tried: number,
  random: number,
): number => {
  // 2 ** 1024 is no number any more, and long before it the longest pause counts.
  const whole = Math.min(maxBackoffMs, first * 2 ** Math.min(tried - 1, 30));
  return Math.round(whole * (1 - random / 2));
};

/** How long to wait before a command is tried again; undefined when this outcome is its answer. */
export const pauseBeforeNext = (
  retry: Retry,
  outcome: Outcome,
  tried: number,
  /** When the command is not to be handled any more, milliseconds since 1970. */
  deadline: number | undefined,
  now: number,
  random: number,
): number | undefined => {
  if (tried >= retry.attempts || !isWorthTrying(outcome)) return undefined;
  const pauseMs = backoffMs(retry, tried, random);
  return deadline !== undefined && now + pauseMs > deadline ? undefined : pauseMs;
};
