/** Programs that fail say more than a line of progress should. */
const MOST_LINES = 6;

/** What is said of a peer that is not to be had. */
export const peerLeftOut = (peer: string, error: unknown): string => {
  const reason = error instanceof Error ? error.message : String(error);
  return `without ${peer} as a peer: ${reason.trim().split('\n').slice(0, MOST_LINES).join('\n')}`;
};
