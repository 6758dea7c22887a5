import { type Fault, fault } from '../../schemas/errors.js';

const RETRY_AFTER_MS = 1_000;

/** The answer to a request that the broker cannot hold: too much waits already. */
export const overloaded = (text: string): Fault => ({
  ...fault('OVERLOADED', `${text}; try again in ${RETRY_AFTER_MS} ms`),
  retryAfterMs: RETRY_AFTER_MS,
});
