import type { ConnectionOptions } from 'nats';

const NOW = Number.NEGATIVE_INFINITY;

/**
 * Options with which a connection is dialled again for ever, with pauses of about this many milliseconds. The
 * client's own pauses end at a time of the system's clock: after a step back of an hour, it would not dial for an
 * hour. With these options every moment is due for the client, and the pause is the delay of the dial, which a timer
 * measures.
 */
export const redial = (pauseMs: number): ConnectionOptions => {
  let dialledAt = NOW;
  return {
    maxReconnectAttempts: -1,
    reconnectDelayHandler: () => NOW,
    // The first of them is next.
    reconnectToServer: ([next]) => {
      if (next === undefined) return null;
      const now = performance.now();
      const delay = Math.max(0, dialledAt + pauseMs * (1 + Math.random() / 2) - now);
      dialledAt = now + delay;
      return { server: next, delay };
    },
  };
};
