import { inspect } from 'node:util';

const POLL_MS = 10;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

type NotYet = undefined | null | false;

/**
 * Waits until the condition gives a value, and gives that value. A condition that throws is one that does not hold
 * yet: what it threw last is the cause of the error at the deadline.
 */
export const waitFor = async <T>(
  what: string,
  condition: () => Promise<T | NotYet> | T | NotYet,
  timeoutMs = 30_000,
): Promise<T> => {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    let last: unknown;
    let thrown: unknown;
    try {
      const value = await condition();
      if (value !== undefined && value !== null && value !== false) return value;
      last = value;
    } catch (error) {
      thrown = error;
      last = error;
    }
    if (performance.now() >= deadline) {
      throw new Error(`waited ${timeoutMs} ms for ${what}; last: ${inspect(last, { depth: 4 })}`, {
        cause: thrown,
      });
    }
    await pause(POLL_MS);
  }
};
