import { byForm } from '../support/form.js';

/** What `npm run test:scale` hands to the test; without it, a tenth or less. */
export const SCALE_VARIABLES = { agents: 'SCALE_AGENTS', conversations: 'SCALE_CONVERSATIONS' } as const;

export const AGENTS = Number(
  process.env[SCALE_VARIABLES.agents] ?? byForm({ short: 400, deep: 1_000, full: 1_000 }),
);
export const CONVERSATIONS = Number(
  process.env[SCALE_VARIABLES.conversations] ?? byForm({ short: 2_000, deep: 5_000, full: 5_000 }),
);
