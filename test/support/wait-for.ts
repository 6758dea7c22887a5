import { inspect } from 'node:util';

/** Between two looks. A look that takes long, since it asks a broker, say, is followed by a longer pause: it has its cost. */
const POLL_MS = 10;
const MAX_POLL_MS = 200;
const PAUSE_PER_LOOK = 2;

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
    const began = performance.now();
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
    const tookMs = performance.now() - began;
    await pause(Math.min(MAX_POLL_MS, Math.max(POLL_MS, PAUSE_PER_LOOK * tookMs)));
  }
};
