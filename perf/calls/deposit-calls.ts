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

/** The same for peers that take an object; their client makes about as many bytes of it. */
export const depositAt = (
  i: number,
): { readonly agent: string; readonly amount: number; readonly pad: string } => {
  const amount = amountAt(i);
  return { agent: agentAt(i), amount, pad: ' '.repeat(CALL_BYTES - 20) };
};
