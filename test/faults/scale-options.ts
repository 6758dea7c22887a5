/** What `npm run test:scale` hands to the test; without it, a tenth. */
export const SCALE_VARIABLES = { agents: 'SCALE_AGENTS', conversations: 'SCALE_CONVERSATIONS' } as const;

export const AGENTS = Number(process.env[SCALE_VARIABLES.agents] ?? 1_000);
export const CONVERSATIONS = Number(process.env[SCALE_VARIABLES.conversations] ?? 5_000);
