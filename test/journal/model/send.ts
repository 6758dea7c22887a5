/** Sends a command; its sequence, or undefined where the log did not acknowledge it. */
export type Send = (
  action: string,
  agent: string,
  data: object,
  module: string,
) => Promise<number | undefined>;
