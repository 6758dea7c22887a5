import type { FloodLimit } from '../../system/falling-levels.js';

export interface RefusedLimits {
  readonly account: FloodLimit;
  /** Of one connection. It is cut off only if it is above this too: others of its account may send the flood. */
  readonly connection: FloodLimit;
}

/**
 * Refused requests, above which a connection is cut off. A refusal costs the broker and the server as much as many
 * requests that are served. A client that waits for its refusals never comes here with fewer than 800 requests on
 * their way: they come later from half of the limit on.
 */
export const REFUSED_FLOODS = {
  /** The same request would be refused again: no such module, a bad header, not allowed. */
  wrong: {
    account: { perSecond: 1_000, most: 5_000 },
    connection: { perSecond: 200, most: 1_000 },
  },
  /** It may be served later. A burst of 80,000 requests is no flood: 20,000 wait, and the rest is refused once. */
  notNow: {
    account: { perSecond: 10_000, most: 60_000 },
    connection: { perSecond: 1_000, most: 10_000 },
  },
} as const satisfies Readonly<Record<string, RefusedLimits>>;
