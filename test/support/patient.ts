/** How long a test waits for a reply. The library waits for a second, and a busy machine needs longer at times. */
export const PATIENT = { timeout: 30_000 } as const;
