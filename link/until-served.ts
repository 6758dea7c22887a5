import { isClientError } from './client-error.js';
import { Backoff } from '../system/async/backoff.js';
import { pause } from '../system/async/pause.js';

const FIRST_PAUSE_MS = 2;
const DEFAULT_MS = 1_000;

export const isNobody = (thrown: unknown): boolean =>
  isClientError(thrown, 'NoRespondersError') ||
  (isClientError(thrown, 'RequestError') && thrown.isNoResponders());

/**
 * Sends a request again while the server replies that it has no responder. That lasts for some milliseconds while the
 * server reloads its accounts, and while a flood fills its buffer for the broker. Such a request has had no effect.
 * Throws the last reply after `maxMs` milliseconds.
 */
export const untilServed = async <T>(request: () => Promise<T>, maxMs = DEFAULT_MS): Promise<T> => {
  const until = performance.now() + maxMs;
  const pauses = new Backoff(FIRST_PAUSE_MS);
  for (;;) {
    try {
      return await request();
    } catch (thrown) {
      if (!isNobody(thrown) || performance.now() + pauses.nextMs > until) throw thrown;
      await pause(pauses.take());
    }
  }
};
