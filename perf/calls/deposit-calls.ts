/** The agents that are called, in turn. */
export const AGENTS = 10_000;

/** Of a command's payload. Blanks make it so long; the module's schema takes nothing but the amount. */
export const CALL_BYTES = 256;

export const agentAt = (i: number): string => `agent-${i % AGENTS}`;

export const amountAt = (i: number): number => 1 + (i % 100);

export const payloadAt = (i: number): string => {
  const open = `{"amount":${amountAt(i)}`;
  return `${open.padEnd(CALL_BYTES - 1)}}`;
};
