import type { ConnectionOptions } from 'nats';

const NOW = Number.NEGATIVE_INFINITY;

/**
 * Options by which a connection is dialled again for ever, with pauses of about so many milliseconds. The client's own
 * pauses end at a time of the system's clock: set back by an hour, it would not dial for an hour. Here every moment is due to
 * it, and the pause is the delay of the dial, which is a timer's.
 */
export const redial = (pauseMs: number): ConnectionOptions => {
  let dialledAt = NOW;
  return {
    maxReconnectAttempts: -1,
    reconnectDelayHandler: () => NOW,
    // The first of them is the one whose turn it is.
    reconnectToServer: ([next]) => {
      if (next === undefined) return null;
      const now = performance.now();
      const delay = Math.max(0, dialledAt + pauseMs * (1 + Math.random() / 2) - now);
      dialledAt = now + delay;
      return { server: next, delay };
    },
  };
};
