import { IN_FULL } from '../form.js';
import { MODES, type Mode } from './lossy-disk.js';

/** What `npm run test:power` hands to the test; without it, few crashes and a new seed each time. */
export const POWER_VARIABLES = { crashes: 'POWER_CRASHES', seed: 'POWER_SEED', mode: 'POWER_MODE' } as const;

const number = (variable: string): number | undefined => {
  const text = process.env[variable];
  return text === undefined ? undefined : Number(text);
};

export const SEED = number(POWER_VARIABLES.seed) ?? Math.floor(Math.random() * 2 ** 32);
/** Losses of power under `fsync`. */
export const CRASHES = number(POWER_VARIABLES.crashes) ?? (IN_FULL ? 12 : 3);

const only = MODES.find((mode) => mode === process.env[POWER_VARIABLES.mode]);
/** One after the other. */
export const CRASH_MODES: readonly Mode[] = only === undefined ? MODES : [only];
