/** What a broker does for one request may take minutes; it is asked to say so in time that it goes on. */
export const DEFAULT_TIMEOUT_MS = 120_000;

/** So much longer than it is told does a client wait for an answer of the broker: only one that hangs says nothing. */
const MARGIN_MS = 10_000;

export const moreTime = <T extends object>(options: T, waitMs: number): T & { readonly timeout: number } => ({
  ...options,
  timeout: waitMs + MARGIN_MS,
});
