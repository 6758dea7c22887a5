/** The broker may need minutes for one request. It is asked to reply in time that the work continues. */
export const DEFAULT_TIMEOUT_MS = 120_000;

/** A client waits this much longer than the time that it gives the broker. Only a broker that hangs sends no reply. */
const MARGIN_MS = 10_000;

export const moreTime = <T extends object>(options: T, waitMs: number): T & { readonly timeout: number } => ({
  ...options,
  timeout: waitMs + MARGIN_MS,
});
